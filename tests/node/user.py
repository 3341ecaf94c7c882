"""Commands of another user."""


def as_user(uid, groups=()):
    """What to put before a command, so that this user runs it. The user's own group has the same number.

    subprocess's `user=` would fork, and the threads of gRPC that a test may have do not survive a fork.
    """
    others = f"--groups={','.join(map(str, groups))}" if groups else "--clear-groups"
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", others]

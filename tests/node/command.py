"""The command line as people type it: what it prints, and transcripts of that kept as golden files."""
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

from . import golden
from .daemon import binary

# What differs from run to run.
MASKS = [
    (r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "TIME"),
    (r"\b\d\d:\d\d:\d\dZ", "CLOCK"),
    (r"\b[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d \+0000", "MOMENT"),
    (r"\bf{8}[0-9a-f]{24}\b", "UID"),
    (r"/var/tmp/np[a-z]-[^/: \n]+", "BASE"),
    (r"\b\d+\.\d+\.\d+ \(rev [^)]*\)(?:,\s+pid\s+\d+)?", "VERSION"),
    (r'("(?:version|commit)": )"[^"]*"', r'\1"VERSION"'),
    (r'("target": )"[^"/]*-linux-[^"]*"', r'\1"MACHINE"'),
    (r'("(?:pid|revision)": )\d+', r"\1NUMBER"),
    (r"\b(containerd )\d\S*", r"\1VERSION"),
]
# The rows of the table of events: what happened within one second has no order.
EVENTS = re.compile(r"(^ +-+ +-+ +-+ +-+ +-+\n)((?:  \S.*\n)+)", re.M)
AGE = re.compile(r"(?<=[ (])(?:<unknown>|(?:\d+[ydhms]){1,2})(?= ago\)|  |\n)( *)")


def environment(**changes):
    """That of a plain user, without what the machine's own may say."""
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG", "TERM")}
    return {**kept, **changes}


class Command:
    """`nodepods` on one socket."""

    def __init__(self, socket, program=None):
        self.socket, self.program = socket, program or [binary()]

    def run(self, *args, **options):
        env = environment(NODEPODS_SOCKET=self.socket, **options.pop("env", {}))
        return subprocess.run([*self.program, *args], env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=60, check=False, **options)

    def start(self, *args):
        """A process whose output is read line by line."""
        env = environment(NODEPODS_SOCKET=self.socket)
        return subprocess.Popen([*self.program, *args], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)

    def on_terminal(self, *args, columns=80, **changes):
        """What a terminal of so many columns is sent on standard output."""
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        env = environment(**{"NODEPODS_SOCKET": self.socket, "TERM": "xterm", **changes})
        process = subprocess.Popen([*self.program, *args], env=env, stdin=subprocess.DEVNULL, stdout=theirs,
                                   stderr=subprocess.DEVNULL)
        os.close(theirs)
        out = b""
        while True:
            try:
                piece = os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            out += piece
        os.close(ours)
        process.wait(timeout=10)
        return out.decode().replace("\r\n", "\n")


def transcript(command, lines, ages=True, **options):
    """Each command line, what it prints, and its exit code where that is not 0."""
    out = []
    for line in lines:
        done = command.run(*[word.replace("␣", " ") for word in line.split()], **options)
        said = "".join(f"! {text}\n" for text in done.stderr.splitlines())
        printed = done.stdout if done.stdout.endswith("\n") or not done.stdout else done.stdout + "⏎\n"
        code = f"[exit {done.returncode}]\n" if done.returncode else ""
        out.append(f"$ nodepods {line.replace('␣', ' ')}\n{printed}{said}{code}")
    return masked("\n".join(out), ages)


def begun(command, line, lines):
    """A command that goes on: its first lines, as they come, and then it is ended."""
    process = command.start(*line.split())
    text = "".join(process.stdout.readline() for _ in range(lines))
    process.kill()
    process.communicate()
    return masked(f"$ nodepods {line}\n{text}")


def masked(text, ages=True):
    for pattern, word in MASKS:
        text = re.sub(pattern, word, text)
    text = EVENTS.sub(lambda m: m.group(1) + "".join(sorted(m.group(2).splitlines(keepends=True))), text)
    if not ages:
        return text
    text = re.sub(r"\b(?:\d+[ydhms]){1,2} ago\b", "AGE ago", text)
    text = re.sub(r"(AGE ago|LAST END) {2,}", r"\1  ", text)
    text = re.sub(r"\bAGE {2,}(?=[A-Z])", "AGE  ", text)
    text = AGE.sub(lambda m: "AGE" + ("  " if m.group(1) else ""), text)
    return re.sub(r"<none> {2,}(?=AGE)", "<none>  ", text)  # a column with ages in it is as wide as they are


def same_as_golden(name, text):
    golden.same(f"cli/{name}.txt", text)

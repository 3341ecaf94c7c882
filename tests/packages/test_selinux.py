"""The policy module in a real policy: Debian's, with stand-ins for the types that it lacks: those of container-selinux, one of newer
policies.

Nothing enforces it here. What it allows is asked by contradiction: a rule `neverallow` stops the policy from being
made where something allows it after all.
"""
import bz2
import os
import subprocess
from pathlib import Path

import pytest

from conftest import ROOT, only

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "nodepods/selinux-policy"

STAND_INS = """
attribute container_domain;
type container_t;
type container_runtime_t;
type container_var_run_t;
type container_var_lib_t;
type kubelet_t;
type systemd_runtime_notify_t;
typeattribute container_t domain, container_domain;
typeattribute container_runtime_t domain;
typeattribute kubelet_t domain;
typeattribute systemd_runtime_notify_t file_type, non_security_file_type;
typeattribute container_var_run_t file_type, non_security_file_type;
typeattribute container_var_lib_t file_type, non_security_file_type;
"""
NEEDS = """
require {
  attribute domain, file_type, non_security_file_type;
  type nodepods_t, nodepods_runtime_t, nodepods_state_t, init_t, var_run_t;
  class unix_stream_socket connectto;
  class unix_dgram_socket sendto;
  class sock_file write;
  class dir search;
  class file { open read write execute };
  class tcp_socket name_connect;
  class process transition;
  class capability { sys_admin dac_read_search };
}
"""


def run(*command):
    return subprocess.run(list(map(str, command)), capture_output=True, text=True)


def good(*command, **options):
    done = run(*command, **options)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session")
def base():
    """The base of Debian's policy, downloaded the first time and not installed."""
    made = CACHE / "base.pp"
    if not made.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run(["apt-get", "download", "-qq", "selinux-policy-default"], cwd=CACHE, check=True, capture_output=True)
        good("dpkg-deb", "-x", only(CACHE, "*.deb"), CACHE / "unpacked")
        made.with_suffix(".new").write_bytes(bz2.decompress(only(CACHE, "unpacked/usr/share/selinux/*/base.pp.bz2").read_bytes()))
        made.with_suffix(".new").rename(made)
    return made


@pytest.fixture(scope="session")
def ours(tmp_path_factory):
    """The module as the rpm carries it."""
    out = tmp_path_factory.mktemp("selinux")
    good(ROOT / "packaging/selinux/build", out)
    return out / "nodepods.pp"


def module(directory, name, text):
    (directory / f"{name}.te").write_text(f"module {name} 1.0;\n{text}")
    good("checkmodule", "-M", "-m", "-o", directory / f"{name}.mod", directory / f"{name}.te")
    good("semodule_package", "-o", directory / f"{name}.pp", "-m", directory / f"{name}.mod")
    return directory / f"{name}.pp"


def allows(rule, base, ours, directory):
    """Whether the whole policy allows what `rule` says: "source target:class permission"."""
    around = module(directory, "around", NEEDS + STAND_INS)
    claim = module(directory, "claim", f"{NEEDS}require {{ type container_t, container_runtime_t, container_var_run_t, container_var_lib_t, kubelet_t, systemd_runtime_notify_t, init_runtime_t; }}\nneverallow {rule};")
    good("semodule_link", "-o", directory / "all.pp", base, ours, around, claim)
    done = run("semodule_expand", directory / "all.pp", directory / "policy")
    assert done.returncode == 0 or "neverallow" in done.stderr, done.stderr
    return done.returncode != 0


def test_it_goes_into_a_policy_without_containers(base, ours, tmp_path):
    good("semodule_link", "-o", tmp_path / "all.pp", base, ours)
    good("semodule_expand", tmp_path / "all.pp", tmp_path / "policy")


@pytest.mark.parametrize("rule", [
    "init_t nodepods_t:process transition",
    "container_t nodepods_runtime_t:dir search",
    "container_t nodepods_runtime_t:sock_file write",
    "container_t nodepods_t:unix_stream_socket connectto",
    "nodepods_t container_runtime_t:unix_stream_socket connectto",
    "nodepods_t container_var_run_t:sock_file write",
    "nodepods_t self:capability dac_read_search",
    "nodepods_t container_var_lib_t:sock_file write",
    "nodepods_t kubelet_t:unix_stream_socket connectto",
    "nodepods_t init_t:unix_dgram_socket sendto",
    "nodepods_t init_runtime_t:sock_file write",  # READY=1 and the watchdog
    "nodepods_t systemd_runtime_notify_t:sock_file write",
])
def test_it_allows(rule, base, ours, tmp_path):
    assert allows(rule, base, ours, tmp_path)


@pytest.mark.parametrize("rule", [
    "container_t nodepods_state_t:dir search",
    "container_t nodepods_state_t:file { open read write }",
    "container_t nodepods_t:process transition",
    "nodepods_t container_t:unix_stream_socket connectto",
    "nodepods_t var_run_t:file write",
    "nodepods_t self:capability sys_admin",
])
def test_it_allows_no_more(rule, base, ours, tmp_path):
    assert not allows(rule, base, ours, tmp_path)

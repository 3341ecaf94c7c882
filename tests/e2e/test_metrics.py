"""Metrics of a whole daemon: on a port, in a file, over its socket."""
import os
import time
import urllib.error
import urllib.request

import pytest

from node.daemon import manifest


def get(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.read().decode()


def test_a_port_and_a_file_show_the_pods_as_numbers(make_daemon, base):
    file = f"{base}/nodepods.prom"
    daemon = make_daemon(arguments=["--metrics-listen", "127.0.0.1:0", "--metrics-textfile", file])
    daemon.put("web.yaml", manifest("web"))
    daemon.start()
    url = daemon.wait_log("metrics on ").split("metrics on ")[1]
    page = get(url)
    assert 'nodepods_pods{phase="Pending"} 1\n' in page
    assert "process_resident_memory_bytes" in page
    assert get(url.replace("/metrics", "/readyz")) == "ok"
    with pytest.raises(urllib.error.HTTPError) as refused:
        get(url.replace("/metrics", "/api/v1/pods"))
    assert refused.value.code == 404
    end = time.monotonic() + 10
    while not os.path.exists(file):
        assert time.monotonic() < end, daemon.log()
        time.sleep(0.02)
    with open(file) as f:
        text = f.read()
    # The first file may be older than the first word of a source.
    assert "\nnodepods_build_info" in text and text.endswith("\n")
    assert "process_" not in text, "node_exporter has these itself and would refuse the file"
    assert os.stat(file).st_mode & 0o777 == 0o644
    assert daemon.stop() == 0
    assert not os.path.exists(file)



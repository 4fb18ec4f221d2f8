"""``searchkit serve``: a real server on a free port, and what is said without the packages it needs."""

import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request

WITHOUT_UVICORN = "import sys; sys.modules['uvicorn'] = None; from searchkit.cli import main; main(sys.argv[1:])"


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_serves_until_ctrl_c(filled_index):
    """It says where it listens, answers there, and Ctrl-C is its ordinary end."""
    port = str(free_port())
    command = [sys.executable, "-m", "searchkit", "--index", str(filled_index), "serve", "--port", port]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr.readline() == f"Search page: http://127.0.0.1:{port}/ (Ctrl-C stops)\n"
        page = None
        while page is None and process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as response:
                    page = response.read().decode()
            except urllib.error.URLError:
                continue  # not listening yet
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
    assert "<html" in page


def test_missing_packages(filled_index):
    """Without the extra it says what to install."""
    command = [sys.executable, "-c", WITHOUT_UVICORN, "--index", str(filled_index), "serve"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 1
    assert "pip install 'searchkit[web]'" in result.stderr
    assert result.stderr.startswith("error: ")

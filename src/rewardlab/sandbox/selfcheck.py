"""Attacks that every sandbox must contain, and the check that it does.

Each attack is code, and a question that the host answers by looking at its own side: was the planted secret printed,
did a connection arrive, does the file exist, is a marked process still there. What the attack itself says about its
success counts only against the sandbox. An attack that fails for want of a module is contained.

What this does not show: bugs of the kernel or of the interpreter, side channels (timing, caches), or harm within the
limits, such as a busy core until the time limit.
"""

from __future__ import annotations

import contextlib
import math
import os
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rewardlab.sandbox.protocol import OUTPUT_LIMIT, Execution, Sandbox

SECONDS = 1.0
"""Time limit of each attack."""

SLACK = 0.5
"""Seconds over the time limit that a busy machine may take to stop an attack."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What the host has laid out for an attack.

    Attributes:
        secret: Text in a host file and in the host's environment; it must not come out.
        marker: Argument of every process that an attack starts.
        secret_file: Path of the host file that holds the secret.
        target_file: Path that does not exist and must not afterwards.
        listener: Listening loopback socket.
        canary: A process of the host that must live on.
    """

    secret: str
    marker: str
    secret_file: Path
    target_file: Path
    listener: socket.socket
    canary: subprocess.Popen[bytes]

    @property
    def inputs(self) -> dict[str, str | int]:
        """The globals that the attack's code finds; the secret is not among them."""
        return {
            "marker": self.marker,
            "secret_file": str(self.secret_file),
            "target_file": str(self.target_file),
            "port": self.listener.getsockname()[1],
            "canary": self.canary.pid,
        }


@dataclass(frozen=True, slots=True)
class Attack:
    """One attack.

    Attributes:
        name: For tables.
        code: What the sandbox is asked to run.
        breach: Says what went wrong, or "" when the attack was contained.
    """

    name: str
    code: str
    breach: Callable[[Execution, Scene], str]


@dataclass(frozen=True, slots=True)
class CheckResult:
    """How one attack ended.

    Attributes:
        name: Of the attack.
        contained: Whether it did no harm.
        detail: The breach, or how the sandbox stopped it.
        seconds: Wall time of the run.
    """

    name: str
    contained: bool
    detail: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Examined:
    """What a sandbox is like on this machine.

    Attributes:
        sandbox: Its name.
        unavailable: Why it cannot run here and how to mend it; "" when it can.
        results: One an attack; empty where it is unavailable.
        median_seconds: Median wall time of a harmless call; NaN where it is unavailable.
    """

    sandbox: str
    unavailable: str
    results: tuple[CheckResult, ...]
    median_seconds: float


HARMLESS = "values = [i * i for i in range(100)]\nsum(values) == 328350"


async def examine(sandbox: Sandbox, calls: int) -> Examined:
    """Attack a sandbox, and time calls that do it no harm.

    Args:
        sandbox: The sandbox.
        calls: How many calls are timed.
    """
    if reason := sandbox.available():
        return Examined(sandbox.name, reason, (), math.nan)
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        await sandbox.run(HARMLESS)
        times.append(time.perf_counter() - start)
    return Examined(sandbox.name, "", tuple(await self_check(sandbox)), statistics.median(times))


async def self_check(sandbox: Sandbox) -> list[CheckResult]:
    """Run every attack against a sandbox.

    Returns:
        One result per attack, in order. Empty when the sandbox is unavailable: nothing was shown.
    """
    if sandbox.available():
        return []
    return [await check(sandbox, attack) for attack in ATTACKS]


async def check(sandbox: Sandbox, attack: Attack) -> CheckResult:
    """Run one attack and look for harm on the host's side."""
    with _scene() as scene:
        done = await sandbox.run(attack.code, scene.inputs, seconds=SECONDS)
        breach = attack.breach(done, scene) or _late(done)
        stopped = done.error.partition("\n")[0] or "ran to its end without effect"
        return CheckResult(attack.name, not breach, breach or stopped[:160], done.seconds)


@contextlib.contextmanager
def _scene() -> Iterator[Scene]:
    secret, marker = secrets.token_hex(16), f"attack-{secrets.token_hex(8)}"
    sleeper, environment = "import time; time.sleep(60)", os.environ | {"SELF_CHECK_SECRET": secret}
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.create_server(("127.0.0.1", 0)) as listener,
        subprocess.Popen([sys.executable, "-S", "-c", sleeper], env=environment) as canary,
    ):
        listener.settimeout(0.05)
        Path(folder).chmod(0o755)
        path = Path(folder) / "secret.txt"
        path.write_text(secret)
        os.environ["SELF_CHECK_SECRET"] = secret
        try:
            yield Scene(secret, marker, path, Path(folder) / "written", listener, canary)
        finally:
            del os.environ["SELF_CHECK_SECRET"]
            canary.kill()


def _late(done: Execution) -> str:
    over = done.seconds - SECONDS
    return f"stopped {over:.2f} s after the time limit" if over > SLACK else ""


def _not_stopped(done: Execution, scene: Scene) -> str:
    return "" if done.timed_out else "was not stopped at the time limit"


def _secret_out(done: Execution, scene: Scene) -> str:
    said = done.stdout + done.value + done.error
    return "the secret came out" if scene.secret in said else ""


def _accounts_out(done: Execution, scene: Scene) -> str:
    return "the host's account list came out" if "root:" in done.stdout + done.value + done.error else ""


def _survivors(done: Execution, scene: Scene) -> str:
    alive = _marked(scene.marker)
    return f"{len(alive)} processes live on: {alive[:5]}" if alive else ""


def _spin_and_survivors(done: Execution, scene: Scene) -> str:
    return _not_stopped(done, scene) or _survivors(done, scene)


def _marked(marker: str) -> list[int]:
    """Host process ids whose command line holds the marker."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if marker.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


def _flooded(done: Execution, scene: Scene) -> str:
    counts = [int(word) for word in done.stdout.split() if word.isdigit()]
    many = f"{max(counts)} processes were started" if counts and max(counts) >= 100 else ""
    return many or _survivors(done, scene)


def _got_it(done: Execution, scene: Scene) -> str:
    return "the limit did not bind" if "GOT IT" in done.stdout else ""


def _too_much_out(done: Execution, scene: Scene) -> str:
    for field in (done.stdout, done.value, done.error):
        if len(field.encode(errors="replace")) > 2 * OUTPUT_LIMIT:
            return f"{len(field)} characters came out"
    size = len(done.stdout.encode())
    return f"{size} bytes of standard output came out" if size > OUTPUT_LIMIT else ""


def _connected(done: Execution, scene: Scene) -> str:
    try:
        scene.listener.accept()[0].close()
    except TimeoutError:
        return ""
    return "a connection arrived at the host"


def _written(done: Execution, scene: Scene) -> str:
    return "the host has the file" if scene.target_file.exists() else _got_it(done, scene)


def _killed(done: Execution, scene: Scene) -> str:
    return "a host process was killed" if scene.canary.poll() is not None else ""


def _taken_for_timeout(done: Execution, scene: Scene) -> str:
    return "a signal to itself was taken for the time limit" if done.timed_out else ""


_SPIN = "import os, sys\nos.execv(sys.executable, [sys.executable, '-S', '-c', 'while True: pass', marker])"

ATTACKS: tuple[Attack, ...] = (
    Attack("spin", "while True:\n    pass", _not_stopped),
    Attack("spin in one operation", "x = 10 ** 10 ** 8\nprint('GOT IT')", _got_it),
    Attack(
        "spin with a grandchild in its own session",
        f"try:\n    import os\n    if os.fork() == 0:\n        os.setsid()\n        if os.fork() == 0:\n"
        f"            {_SPIN.replace(chr(10), chr(10) + ' ' * 12)}\nexcept Exception:\n    pass\nwhile True:\n    pass",
        _spin_and_survivors,
    ),
    Attack(
        "child that outlives its parent",
        f"import os\nif os.fork() == 0:\n    os.setsid()\n    {_SPIN.replace(chr(10), chr(10) + ' ' * 4)}",
        _survivors,
    ),
    Attack(
        "fork flood",
        "import os, time\nfor i in range(300):\n    if os.fork() == 0:\n        time.sleep(60)\n"
        "    print(i, flush=True)",
        _flooded,
    ),
    Attack("memory", "x = [0] * (4 * 2**27)\nprint('GOT IT')", _got_it),
    Attack("memory in small parts", "x = [str(i) + 'a' * 1000 for i in range(3_000_000)]\nprint('GOT IT')", _got_it),
    Attack("stack", "def f(n):\n    return f(n + 1) + 1\nf(0)\nprint('GOT IT')", _got_it),
    Attack("output flood", "while True:\n    print('x' * 1000)", _too_much_out),
    Attack("value of exponential size", "x = []\nfor i in range(60):\n    x = [x, x]\nx", _too_much_out),
    Attack("error of great size", "raise ValueError('x' * 5_000_000)", _too_much_out),
    Attack("host file", "print(open(secret_file).read())", _secret_out),
    Attack("account list", "print(open('/etc/passwd').read())", _accounts_out),
    Attack("environment", "import os\nprint(dict(os.environ))", _secret_out),
    Attack("environment of other processes", "print(open(f'/proc/{canary}/environ', 'rb').read())", _secret_out),
    Attack(
        "walk from an object to its builtins",
        "for c in ().__class__.__base__.__subclasses__():\n"
        "    g = getattr(getattr(c, '__init__', None), '__globals__', {})\n"
        "    if '__builtins__' in g:\n        b = g['__builtins__']\n"
        "        print((b['open'] if isinstance(b, dict) else b.open)(secret_file).read())",
        _secret_out,
    ),
    Attack(
        "frames and modules of the interpreter",
        "import collections\ns = collections._sys\no = s.modules['os']\nprint(o.popen('cat ' + secret_file).read())\n"
        "print(s._getframe(1).f_globals)",
        _secret_out,
    ),
    Attack(
        "network",
        "import socket\ns = socket.create_connection(('127.0.0.1', port), 0.5)\ns.sendall(b'x')",
        _connected,
    ),
    Attack("write to the host", "open(target_file, 'w').write('x')", _written),
    Attack(
        "fill the disk",
        "for i in range(100):\n    with open(f'/tmp/{i}', 'wb') as f:\n        f.write(bytes(2**20))\nprint('GOT IT')",
        _written,
    ),
    Attack("kill a host process", "import os\nos.kill(canary, 9)", _killed),
    Attack("signal to itself", "import os\nos.kill(os.getpid(), 15)", _taken_for_timeout),
    Attack(
        "nonsense on every file descriptor",
        "import os\nfor fd in range(1, 64):\n    try:\n        os.write(fd, b'[{\\xff' * 200_000)\n"
        "    except OSError:\n        pass\nos._exit(0)",
        _too_much_out,
    ),
)
"""Every attack, mildest first."""

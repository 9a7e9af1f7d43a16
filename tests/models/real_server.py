"""Real OpenAI-compatible servers on loopback with the embedded model, as a user would start them."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from rewardlab.models.embedded import embedded_folder

PLAIN = "SmolLM2-135M-Instruct"
WITH_TOOLS = "SmolLM2-135M-Tools"

# What `transformers serve` reads calls by: those of its own list are for model types that the embedded model is not of.
RESPONSE_TEMPLATE = {
    "defaults": {"role": "assistant"},
    "start_anchor": "<|im_start|>assistant\n",
    "fields": {
        "tool_calls": {
            "open_pattern": r"\s*<tool_call>",
            "close": "</tool_call>",
            "repeats": True,
            "content": "json",
            "transform": {"type": "function", "function": "{content}"},
        },
        "content": {"close_pattern": r"\s*(?:<\|im_end\|>|<\|endoftext\|>)", "content": "text"},
    },
}

# The server heeds no tool_choice and the model makes no call by itself, so the template writes one for it: of the first
# tool, with the first value that its schema allows. What the model says behind it is the turn's text.
CHAT_TEMPLATE = """
{%- for message in messages -%}
<|im_start|>{{ 'user' if message.role == 'tool' else message.role }}
{{ message.content }}
{%- for call in message.tool_calls or [] %}
<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>
{%- endfor %}
{%- if loop.first %}{% for tool in tools or [] %}{{ '\n' ~ (tool.function | tojson) }}{% endfor %}{% endif %}<|im_end|>
{% endfor %}
{%- if add_generation_prompt %}<|im_start|>assistant
{% if tools %}
{%- set function = tools[0].function %}
{%- set argument, schema = function.parameters.properties.items() | first %}<tool_call>
{"name": "{{ function.name }}", "arguments": {"{{ argument }}": "{{ schema.enum[0] }}"}}
</tool_call>{% endif %}{% endif %}"""


def lay_out(folder: Path) -> None:
    """Put the embedded model into a folder under two names: as it is, and with a chat template that knows tools."""
    source = embedded_folder()
    (folder / PLAIN).symlink_to(source)
    tools = folder / WITH_TOOLS
    tools.mkdir()
    for file in source.iterdir():
        (tools / file.name).symlink_to(file)
    settings = json.loads((source / "tokenizer_config.json").read_text())
    for name, text in (
        ("tokenizer_config.json", json.dumps(settings | {"response_template": RESPONSE_TEMPLATE})),
        ("chat_template.jinja", CHAT_TEMPLATE),
    ):
        (tools / name).unlink()
        (tools / name).write_text(text)


@contextmanager
def transformers_serve(folder: Path) -> Iterator[str]:
    """`transformers serve` in a folder, whose models go by the names of its subfolders. Gives the base URL."""
    program = Path(sys.executable).with_name("transformers")
    with _running([str(program), "serve", "--device", "cpu"], folder) as url:
        yield url


@contextmanager
def llama_cpp(program: Sequence[str], folder: Path, weights: Path) -> Iterator[str]:
    """llama.cpp's server with a GGUF file. Gives the base URL."""
    alias = "--alias" if program[0].endswith("llama-server") else "--model_alias"
    with _running([*program, "--model", str(weights), alias, PLAIN], folder) as url:
        yield url


def llama_cpp_program() -> list[str]:
    """How llama.cpp's server is started here; empty where it is not installed."""
    if found := shutil.which("llama-server"):
        return [found, "--jinja", "--ctx-size", "8192"]
    if importlib.util.find_spec("llama_cpp"):
        return [sys.executable, "-m", "llama_cpp.server", "--n_ctx", "8192"]
    return []


@contextmanager
def _running(command: Sequence[str], folder: Path) -> Iterator[str]:
    """A server that is given a free port, from its first sign of life to the end of the block."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    environment = os.environ | {"HF_HUB_OFFLINE": "1", "HF_HOME": str(folder / "hub")}
    with (folder / "server.log").open("w+") as log:
        line = [*command, "--host", "127.0.0.1", "--port", port]
        process = subprocess.Popen(line, cwd=folder, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:
            while not _answers(f"http://127.0.0.1:{port}/v1/models"):
                if process.poll() is not None:
                    log.seek(0)
                    raise RuntimeError(f"{command[0]} ended: {log.read()[-2000:]}")
                time.sleep(0.2)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.terminate()
            process.wait()


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5):
            return True
    except HTTPError:
        return True  # `transformers serve` answers 500 where there is no hub cache to list
    except (URLError, OSError):
        return False

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from rewardlab.models.deferred import Deferred
from rewardlab.models.protocol import Generator, Sampling
from rewardlab.models.scripted import ScriptedGenerator
from rewardlab.task import Message

ASK = (Message("user", "A or B?"),)


def test_the_model_is_loaded_once_and_only_when_it_is_asked() -> None:
    built: list[ScriptedGenerator] = []

    def build() -> ScriptedGenerator:
        built.append(ScriptedGenerator(lambda messages, tools, repeat: "A"))
        return built[-1]

    async def story() -> list[str]:
        model = Deferred(build)
        assert isinstance(model, Generator)
        assert model.can_score
        assert not built
        await model.aclose()
        assert not built
        answers = await asyncio.gather(*(model.chat(ASK, Sampling(repeat=i)) for i in range(5)))
        assert await model.identity() == await built[0].identity()
        return [answer.text for answer in answers]

    assert asyncio.run(story()) == ["A"] * 5
    assert len(built) == 1


def test_the_fingerprint_tells_that_a_file_was_written_came_or_went(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    (folder / "deep").mkdir(parents=True)
    weights = folder / "deep" / "model.safetensors"
    weights.write_bytes(b"1234")
    model = Deferred(ScriptedGenerator, [folder])
    seen = [model.fingerprint()]
    os.utime(weights, ns=(1, 1))
    seen.append(model.fingerprint())
    weights.write_bytes(b"12345")
    seen.append(model.fingerprint())
    (folder / "adapter.json").write_text("{}")
    seen.append(model.fingerprint())
    assert len(set(seen)) == 4
    assert model.fingerprint() == seen[-1]


def test_a_place_that_is_not_there_has_no_fingerprint(tmp_path: Path) -> None:
    assert Deferred(ScriptedGenerator, [tmp_path / "nowhere"]).fingerprint() is None
    assert Deferred(ScriptedGenerator).fingerprint() == Deferred(ScriptedGenerator).fingerprint() is not None

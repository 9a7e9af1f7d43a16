import asyncio
import json
import logging
import time
from dataclasses import replace

import pytest

from rewardlab.errors import MissingRequirement, ModelError, UnknownName, UserError
from rewardlab.models.endpoint import Endpoint
from rewardlab.models.protocol import Generator, Sampling, Tool
from rewardlab.randomness import stream
from rewardlab.task import Message, ToolCall
from rewardlab.verdict import Status
from tests.models.server import Answer, FaultServer, completion, too_many

ASK = (Message("system", "Judge."), Message("user", "A or B?"))
LOOKUP = Tool("lookup", "Looks a word up.", {"type": "object", "properties": {"word": {"type": "string"}}})
KEY = "sk-very-secret-0123456789"


def make(*servers, **options):
    urls = [server if isinstance(server, str) else server.url for server in servers]
    options = {"timeout": 5.0, "backoff_seconds": 0.02, "probe_seconds": 0.05, **options}
    return Endpoint("test-model", urls, stream(0, "backoff"), **options)


def run(endpoint, use):
    async def whole():
        try:
            return await use(endpoint)
        finally:
            await endpoint.aclose()

    return asyncio.run(whole())


def chat(endpoint, messages=ASK, sampling=Sampling(), **options):
    return run(endpoint, lambda e: e.chat(messages, sampling, **options))


async def many(endpoint, calls, in_flight):
    """The outcome of each call: a completion or its error."""
    gate = asyncio.Semaphore(in_flight)

    async def one(number):
        async with gate:
            try:
                return await endpoint.chat(ASK, Sampling(repeat=number))
            except ModelError as error:
                return error

    return await asyncio.gather(*(one(number) for number in range(calls)))


def failing(server, **options):
    endpoint = make(server, **options)
    with pytest.raises(ModelError) as caught:
        chat(endpoint)
    return caught.value


# What is sent and what comes back


def test_is_a_generator():
    assert isinstance(make("http://localhost:1/v1"), Generator)


def test_the_whole_request_is_sent():
    with FaultServer() as server:
        talk = (
            *ASK,
            Message("assistant", "", (ToolCall("1", "lookup", '{"word": "a"}'),)),
            Message("tool", "x", (), "1"),
        )
        sampling = Sampling(temperature=0.5, top_p=0.9, max_tokens=7, seed=3, stop=("END",))
        chat(make(server, thinking=False), talk, sampling, tools=[LOOKUP], tool_choice="lookup")
    (body,) = server.bodies
    function = {"name": "lookup", "description": LOOKUP.description, "parameters": LOOKUP.parameters}
    assert body == {
        "model": "test-model",
        "messages": [
            {"role": "system", "content": "Judge."},
            {"role": "user", "content": "A or B?"},
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [
                    {"id": "1", "type": "function", "function": {"name": "lookup", "arguments": '{"word": "a"}'}}
                ],
            },
            {"role": "tool", "content": "x", "tool_call_id": "1"},
        ],
        "temperature": 0.5,
        "top_p": 0.9,
        "max_tokens": 7,
        "seed": 3,
        "stop": ["END"],
        "tools": [{"type": "function", "function": function}],
        "tool_choice": {"type": "function", "function": {"name": "lookup"}},
        "chat_template_kwargs": {"enable_thinking": False},
    }


def test_the_whole_answer_is_read():
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "prompt_tokens_details": {"cached_tokens": 60},
        "completion_tokens_details": {"reasoning_tokens": 15},
    }
    call = {"id": "c1", "type": "function", "function": {"name": "lookup", "arguments": '{"word": "a"}'}}
    answer = completion(None, "tool_calls", usage=usage, tool_calls=[call], reasoning_content="Hm.")
    prices = {"test-model": {"prompt": 1.0, "cached": 0.5, "completion": 10.0}}
    with FaultServer(lambda n, body: answer) as server:
        found = chat(make(server, prices=prices), tools=[LOOKUP])
    assert found.tool_calls == (ToolCall("c1", "lookup", '{"word": "a"}'),)
    assert (found.text, found.finish_reason, found.reasoning, found.model) == (
        "",
        "tool_calls",
        "Hm.",
        "served-by-test",
    )
    used = found.usage
    counts = (used.calls, used.prompt_tokens, used.cached_tokens, used.completion_tokens, used.reasoning_tokens)
    assert counts == (1, 100, 60, 20, 15)
    assert used.cost == pytest.approx((40 * 1.0 + 60 * 0.5 + 20 * 10.0) / 1e6)
    assert 0 < used.seconds < 5


def test_tools_as_text():
    reply = completion('I look. <tool_call>{"name": "lookup", "arguments": {"word": "a"}}</tool_call>')
    with FaultServer(lambda n, body: reply) as server:
        found = chat(make(server, tool_format="text"), tools=[LOOKUP], tool_choice="required")
    (body,) = server.bodies
    assert "tools" not in body
    assert "tool_choice" not in body
    assert "Looks a word up." in body["messages"][0]["content"]
    assert found.text == "I look."
    assert found.finish_reason == "tool_calls"
    assert [(call.name, json.loads(call.arguments)) for call in found.tool_calls] == [("lookup", {"word": "a"})]


def test_repeats_get_seeds_of_their_own():
    with FaultServer() as server:
        run(make(server), lambda e: many(e, 5, 1))
    assert len({body["seed"] for body in server.bodies}) == 5


def test_text_that_no_encoding_can_carry():
    odd = "nul \0 half \ud800 rtl \u202e"
    with FaultServer(lambda n, body: completion("half \ud800")) as server:
        found = chat(make(server), (Message("user", odd),))
    assert server.bodies[0]["messages"][0]["content"] == odd.replace("\ud800", "?")
    assert found.text == "half \ufffd"


def test_a_megabyte_goes_through():
    with FaultServer() as server:
        assert chat(make(server), (Message("user", "x" * 1_000_000),)).text == "[[A]]"


# Thinking


def refuses_thinking(number, body):
    if "chat_template_kwargs" in body:
        return Answer({"error": {"message": "Unknown field: chat_template_kwargs"}}, 400)
    return completion()


def test_thinking_is_dropped_once_and_recorded():
    with FaultServer(refuses_thinking) as server:
        endpoint = make(server, thinking=False, retries=0)
        outcomes = run(endpoint, lambda e: many(e, 5, 1))
    assert [o.text for o in outcomes] == ["[[A]]"] * 5
    assert [o.usage.calls for o in outcomes] == [2, 1, 1, 1, 1]
    assert server.calls == 6
    assert endpoint.counts[server.url]["without_thinking"] == 5


def test_a_server_that_goes_on_about_thinking_is_not_asked_for_ever():
    with FaultServer(lambda n, body: Answer({"error": "enable_thinking is wrong"}, 400)) as server:
        assert failing(server, thinking=True).status is Status.ENDPOINT_ERROR
    assert server.calls == 2


# Errors, told apart


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422, 302])
def test_other_4xx_are_tried_once(status):
    with FaultServer(lambda n, body: Answer({"error": {"message": "no"}}, status)) as server:
        error = failing(server)
    assert error.status is Status.ENDPOINT_ERROR
    assert str(status) in str(error)
    assert server.calls == error.usage.calls == 1


@pytest.mark.parametrize("status", [408, 409, 500, 502, 503])
def test_faults_of_the_server_are_retried(status):
    with FaultServer(lambda n, body: completion() if n == 2 else Answer({}, status)) as server:
        assert chat(make(server, retries=2)).usage.calls == 3
    assert server.calls == 3


MALFORMED = {
    "truncated_json": Answer(b'{"choices": [{"message": {"cont'),
    "empty_body": Answer(b""),
    "not_utf8": Answer(b"\xff\xfe\x00"),
    "html": Answer(b"<html>Bad gateway</html>", content_type="text/html"),
    "wrong_content_type": Answer(completion().body, content_type="text/plain"),
    "json_list": Answer([1]),
    "json_null": Answer(None),
    "deep_json": Answer(b"[" * 100_000),
    "empty_object": Answer({}),
    "empty_choices": Answer({"choices": []}),
    "choices_null": Answer({"choices": None}),
    "choice_is_text": Answer({"choices": ["A"]}),
    "no_message": Answer({"choices": [{"finish_reason": "stop"}]}),
    "no_content": Answer({"choices": [{"finish_reason": "stop", "message": {"role": "assistant"}}]}),
    "content_is_number": completion(7),
    "no_finish_reason": Answer({"choices": [{"message": {"content": "A"}}]}),
    "aborted": completion("A", "abort"),
    "tool_call_without_function": completion("", "tool_calls", tool_calls=[{"id": "x"}]),
    "tool_calls_is_text": completion("", "tool_calls", tool_calls="lookup"),
    "negative_usage": completion(usage={"prompt_tokens": -1}),
    "usage_is_text": completion(usage={"prompt_tokens": "many"}),
    "error_with_status_200": Answer({"error": {"message": "overloaded"}}),
    "hangs_up": Answer(cut=True),
}


@pytest.mark.parametrize("answer", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_reply_is_retried_and_never_becomes_an_answer(answer):
    with FaultServer(lambda n, body: answer) as server:
        error = failing(server, retries=1)
    assert error.status is Status.ENDPOINT_ERROR
    assert server.calls == error.usage.calls == 2


@pytest.mark.parametrize("answer", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_reply_is_survived(answer):
    with FaultServer(lambda n, body: completion() if n else answer) as server:
        assert chat(make(server)).text == "[[A]]"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(completion("", "content_filter"), id="finish_reason"),
        pytest.param(completion(None, refusal="I cannot help with that."), id="refusal"),
        pytest.param(Answer({"error": {"code": "content_filter", "message": "no"}}, 400), id="http_400"),
    ],
)
def test_refusals_are_final(answer):
    with FaultServer(lambda n, body: answer) as server:
        error = failing(server)
    assert error.status is Status.REFUSED
    assert server.calls == error.usage.calls == 1


TOO_LONG = {
    "openai": {"code": "context_length_exceeded", "message": "This model's maximum context length is 8192 tokens."},
    "vllm": {"message": "This model's maximum context length is 16 tokens. However, your request has 99 input tokens."},
    "vllm_engine": {"message": "The decoder prompt (length 99) is longer than the maximum model length of 16."},
    "sglang": {"message": "The input (99 tokens) is longer than the model's context length (16 tokens)."},
    "llama_cpp": {"type": "exceed_context_size_error", "message": "request (99 tokens) exceeds the context size"},
}


@pytest.mark.parametrize("error", TOO_LONG.values(), ids=TOO_LONG.keys())
def test_a_prompt_that_does_not_fit_is_never_asked_again(error):
    with FaultServer(lambda n, body: Answer({"error": error}, 400)) as server:
        found = failing(server)
    assert found.status is Status.TRUNCATED
    assert found.status.final
    assert server.calls == found.usage.calls == 1


def test_requests_turned_away_at_the_door_do_not_make_answers_look_slow():
    def served(n, body):
        return replace(completion(), seconds=0.4) if n >= 48 else Answer({"error": TOO_LONG["vllm"]}, 400)

    with FaultServer(served) as server:
        endpoint = make(server, concurrency=8)
        run(endpoint, lambda e: many(e, 72, 8))
        assert endpoint._pool.servers[0].limiter.limit == 8


def test_failed_requests_count_in_the_usage():
    wasted = Answer({"choices": [], "usage": {"prompt_tokens": 5, "completion_tokens": 1}})
    with FaultServer(lambda n, body: completion() if n else wasted) as server:
        usage = chat(make(server)).usage
    assert (usage.calls, usage.prompt_tokens, usage.completion_tokens) == (2, 15, 3)


# Waiting


def test_retry_after_is_heeded():
    with FaultServer(lambda n, body: completion() if n else too_many("1")) as server:
        chat(make(server))
    assert server.times[1] - server.times[0] >= 1.0


def test_a_wait_longer_than_the_call_may_last_ends_it_at_once():
    started = time.monotonic()
    with FaultServer(lambda n, body: too_many("3600")) as server:
        assert failing(server, timeout=1.0, retries=1).status is Status.ENDPOINT_ERROR
    assert server.calls == 1
    assert time.monotonic() - started < 1.0


def test_429_does_not_use_up_retries_but_the_deadline_ends_it():
    with FaultServer(lambda n, body: completion() if n == 4 else too_many()) as server:
        assert chat(make(server, retries=0, timeout=5.0)).usage.calls == 5
    started = time.monotonic()
    with FaultServer(lambda n, body: too_many("0.05")) as server:
        assert failing(server, retries=0, timeout=0.5).status is Status.ENDPOINT_ERROR
    assert time.monotonic() - started < 1.0
    assert server.calls > 2


@pytest.mark.slow
def test_a_third_of_the_calls_refused_and_all_finish():
    # The figure asked: 30 % of 429 with Retry-After, 64 in flight: all finish with at most 1.6 requests a call.
    refusals = stream(0, "429").random(100_000) < 0.3
    with FaultServer(lambda n, body: too_many("0.1") if refusals[n] else completion()) as server:
        endpoint = make(server, concurrency=64)
        outcomes = run(endpoint, lambda e: many(e, 1000, 64))
    assert all(getattr(o, "text", "") == "[[A]]" for o in outcomes)
    assert server.calls <= 1.6 * 1000
    assert sum(o.usage.calls for o in outcomes) == server.calls == endpoint.counts[server.url]["calls"]
    assert endpoint.counts[server.url]["refusals"] == sum(refusals[: server.calls])


@pytest.mark.slow
def test_refusals_by_chance_do_not_keep_the_server_idle():
    # Fewer calls in flight would be refused just as often, so the limit must not follow them down to a handful.
    refusals = stream(0, "429").random(100_000) < 0.3
    with FaultServer() as server:
        server.answer = lambda n, body: too_many("0.05") if refusals[n] else Answer(completion().body, seconds=0.1)
        endpoint = make(server, concurrency=64)
        started = time.monotonic()
        outcomes = run(endpoint, lambda e: many(e, 1000, 64))
        taken = time.monotonic() - started
    assert all(getattr(o, "text", "") == "[[A]]" for o in outcomes)
    in_flight = sum(o.usage.seconds for o in outcomes) / taken
    assert in_flight > 24


def test_concurrency_adapts_to_what_the_server_bears():
    with FaultServer() as server:
        server.answer = lambda n, body: too_many() if server.in_flight > 8 else Answer(completion().body, seconds=0.01)
        endpoint = make(server, concurrency=40)
        outcomes = run(endpoint, lambda e: many(e, 400, 40))
    assert all(getattr(o, "text", "") == "[[A]]" for o in outcomes)
    # Forty in flight all the time would be refused four times out of five.
    assert endpoint.counts[server.url]["refusals"] < 0.5 * server.calls


@pytest.mark.parametrize(
    "answer",
    [pytest.param(Answer(hang=True), id="nothing"), pytest.param(replace(completion(), stall=True), id="half_a_body")],
)
def test_a_server_that_never_answers_ends_in_time(answer):
    # The figure asked: timeout * (1 + retries) + backoff, for each of many calls.
    timeout, retries, backoff = 0.3, 2, 0.02 + 0.04
    with FaultServer(lambda n, body: answer) as server:
        started = time.monotonic()
        outcomes = run(make(server, timeout=timeout, retries=retries), lambda e: many(e, 40, 40))
        taken = time.monotonic() - started
    assert {o.status for o in outcomes} == {Status.TIMEOUT}
    assert taken <= timeout * (1 + retries) + backoff + 0.5
    assert all(o.usage.calls <= 1 + retries for o in outcomes)


# Several servers


def test_load_is_shared():
    def slow(n, body):
        return Answer(completion().body, seconds=0.05)

    with FaultServer(slow) as one, FaultServer(slow) as two:
        run(make(one, two, concurrency=8), lambda e: many(e, 80, 8))
    assert one.calls + two.calls == 80
    assert 30 <= one.calls <= 50


def test_a_failed_request_goes_to_another_server_at_once():
    with FaultServer(lambda n, body: Answer({}, 500)) as bad, FaultServer() as good:
        found = chat(make(bad, good, backoff_seconds=60.0))
    assert found.text == "[[A]]"
    assert (bad.calls, good.calls) == (1, 1)


@pytest.mark.slow
def test_one_of_three_servers_dies_and_comes_back():
    # The figures asked: at least 99.9 % finish, and within 5 s nothing goes to the dead server any more.
    def brief(n, body):
        return Answer(completion().body, seconds=0.02)

    with FaultServer(brief) as one, FaultServer(brief) as two, FaultServer(brief) as dying:
        endpoint = make(one, two, dying, concurrency=30)

        async def use(endpoint):
            calls = asyncio.create_task(many(endpoint, 3000, 30))
            await asyncio.sleep(0.4)
            await asyncio.to_thread(dying.stop)
            await asyncio.sleep(0.4)
            tried_at_last = endpoint.counts[dying.url]["calls"]
            await asyncio.sleep(0.3)
            tried_after = endpoint.counts[dying.url]["calls"]
            seen_before = dying.calls
            await asyncio.to_thread(dying.start)
            outcomes = await calls
            return outcomes, tried_after - tried_at_last, seen_before

        outcomes, tried_when_dead, seen_before = run(endpoint, use)
    assert sum(getattr(o, "text", "") == "[[A]]" for o in outcomes) >= 0.999 * 3000
    assert tried_when_dead == 0
    assert dying.calls > seen_before
    assert endpoint.counts[dying.url]["times_down"] >= 1
    assert endpoint.counts[one.url]["times_down"] == 0
    assert sum(c["calls"] for c in endpoint.counts.values()) == sum(o.usage.calls for o in outcomes)


def test_a_short_outage_is_waited_out():
    with FaultServer() as server:
        endpoint = make(server, retries=20, outage_seconds=10.0)

        async def use(endpoint):
            await endpoint.chat(ASK, Sampling())
            await asyncio.to_thread(server.stop)
            calls = asyncio.create_task(many(endpoint, 20, 20))
            await asyncio.sleep(0.5)
            await asyncio.to_thread(server.start)
            return await calls

        outcomes = run(endpoint, use)
    assert all(getattr(o, "text", "") == "[[A]]" for o in outcomes)


def test_a_long_outage_is_paid_for_once():
    with FaultServer() as server:
        endpoint = make(server, outage_seconds=0.3)

        async def use(endpoint):
            await asyncio.to_thread(server.stop)
            first = await many(endpoint, 20, 20)
            started = time.monotonic()
            second = await many(endpoint, 200, 20)
            return first + second, time.monotonic() - started

        outcomes, taken = run(endpoint, use)
    assert {o.status for o in outcomes} == {Status.ENDPOINT_ERROR}
    assert not Status.ENDPOINT_ERROR.final
    assert taken < 0.5


def test_the_same_endpoint_serves_one_event_loop_after_the_other():
    with FaultServer() as server:
        endpoint = make(server)
        assert asyncio.run(endpoint.chat(ASK, Sampling())).text == "[[A]]"
        assert chat(endpoint).text == "[[A]]"


def test_a_cancelled_call_gives_its_slot_back():
    with FaultServer(lambda n, body: completion() if n else Answer(hang=True)) as server:

        async def use(endpoint):
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(endpoint.chat(ASK, Sampling()), 0.1)
            return await endpoint.chat(ASK, Sampling())

        assert run(make(server, concurrency=1), use).text == "[[A]]"


# Scores


def test_labels_are_scored_from_the_first_tokens():
    top = [{"token": "A", "logprob": -0.1}, {"token": "B", "logprob": -2.5}]
    answer = completion("A", "length")
    answer.body["choices"][0]["logprobs"] = {"content": [{"token": "A", "logprob": -0.1, "top_logprobs": top}]}
    with FaultServer(lambda n, body: answer) as server:
        endpoint = make(server, can_score=True)
        assert run(endpoint, lambda e: e.score(ASK, ["B", "A"])).logprobs == (-2.5, -0.1)
        with pytest.raises(ModelError, match="'C'") as caught:
            run(endpoint, lambda e: e.score(ASK, ["A", "C"]))
    assert caught.value.status is Status.UNPARSEABLE
    body = server.bodies[0]
    assert (body["logprobs"], body["top_logprobs"], body["max_tokens"]) == (True, 20, 1)


def test_a_server_without_log_probabilities_is_asked_once_and_stays_in_service():
    with FaultServer() as server:
        endpoint = make(server, can_score=True)
        for _ in range(4):
            with pytest.raises(ModelError, match="can_score"):
                run(endpoint, lambda e: e.score(ASK, ["A"]))
    assert server.calls == 4
    assert endpoint.counts[server.url]["times_down"] == 0


def test_a_server_is_not_asked_to_score_unless_configured():
    with FaultServer() as server, pytest.raises(ModelError) as caught:
        run(make(server), lambda e: e.score(ASK, ["A"]))
    assert caught.value.status is Status.SKIPPED
    assert server.calls == 0


# Identity


def test_identity_is_what_the_server_reports():
    with FaultServer() as server:
        identity = run(make(server, thinking=False), lambda e: e.identity())
    assert identity == {
        "model": "test-model",
        "served": "test-model",
        "root": "org/test-model",
        "tool_format": "native",
        "thinking": "False",
    }


def test_a_server_of_one_model_says_which():
    with FaultServer(models=[{"id": "weights.gguf", "meta": {"n_params": 1}}]) as server:
        identity = run(make(server), lambda e: e.identity())
    assert identity["served"] == "weights.gguf"
    assert identity["meta"] == '{"n_params": 1}'


@pytest.mark.parametrize(
    "models",
    [
        pytest.param([], id="empty_list"),
        pytest.param([{"id": "other"}], id="one_other_model"),
        pytest.param([{"id": "x"}, {"id": "y"}], id="other_models"),
        pytest.param(Answer({}, 404), id="no_list"),
        pytest.param(Answer(b"Internal Server Error", 500, content_type="text/plain"), id="broken_list"),
    ],
)
def test_a_model_that_is_not_listed_is_asked_its_name(models):
    with FaultServer(models=models) as server:
        identity = run(make(server), lambda e: e.identity())
    assert identity["served"] == "served-by-test"
    assert server.calls == 1


def test_a_fault_while_asking_the_name_is_survived():
    with FaultServer(lambda n, body: completion() if n == 2 else too_many("0.01"), models=[]) as server:
        assert run(make(server), lambda e: e.identity())["served"] == "served-by-test"


def test_an_unknown_model_is_named_with_its_neighbours():
    listed = [{"id": "test-model-2"}, {"id": "other"}]
    near = pytest.raises(UnknownName, match="Did you mean test-model-2")
    with FaultServer(lambda n, body: Answer({}, 404), listed) as server, near:
        run(make(server), lambda e: e.identity())


def test_a_server_that_takes_no_chats_is_for_the_user_to_mend():
    with FaultServer(lambda n, body: Answer({}, 405), []) as server, pytest.raises(UserError, match="405"):
        run(make(server), lambda e: e.identity())


def test_servers_of_different_models_are_not_mixed():
    elsewhere = [{"id": "test-model", "root": "elsewhere"}]
    with FaultServer() as one, FaultServer(models=elsewhere) as two, pytest.raises(UserError, match="different models"):
        run(make(one, two), lambda e: e.identity())


def test_a_dead_server_among_living_ones_does_not_hide_the_identity():
    with FaultServer() as server:
        identity = run(make("http://127.0.0.1:9/v1", server), lambda e: e.identity())
    assert identity["served"] == "test-model"


def test_no_server_at_all_is_for_the_user_to_mend():
    with pytest.raises(MissingRequirement, match=r"127\.0\.0\.1:9"):
        run(make("http://127.0.0.1:9/v1"), lambda e: e.identity())


# Keys


def test_the_key_comes_from_the_environment_and_goes_nowhere_else(monkeypatch, caplog):
    monkeypatch.setenv("TEST_API_KEY", KEY)
    caplog.set_level(logging.DEBUG)
    replies = [Answer({"error": f"Incorrect API key provided: {KEY}"}, status) for status in (401, 400, 500, 429)]
    replies += [Answer({"error": {"message": KEY}}), Answer(KEY.encode(), content_type=KEY), Answer(cut=True)]
    shown = []
    for reply in replies:
        with FaultServer(lambda n, body, reply=reply: reply) as server:
            endpoint = make(server, api_key_env="TEST_API_KEY", retries=0, timeout=0.3)
            with pytest.raises(ModelError) as caught:
                chat(endpoint)
            shown += [repr(caught.value), str(caught.value), repr(endpoint), str(endpoint.counts)]
            shown.append(str(run(endpoint, lambda e: e.identity())))
            assert server.headers[0]["Authorization"] == f"Bearer {KEY}"
    with FaultServer(models=Answer({}, 401)) as server, pytest.raises(MissingRequirement) as refused:
        run(make(server, api_key_env="TEST_API_KEY"), lambda e: e.identity())
    shown += [str(refused.value), caplog.text]
    assert "TEST_API_KEY" in str(refused.value)
    assert not any(KEY in text for text in shown)


def test_a_missing_key_is_for_the_user_to_mend(monkeypatch):
    monkeypatch.delenv("TEST_API_KEY", raising=False)
    with pytest.raises(MissingRequirement, match="TEST_API_KEY"):
        chat(make("http://127.0.0.1:9/v1", api_key_env="TEST_API_KEY"))


@pytest.mark.parametrize(
    "url", ["localhost:8000/v1", "ftp://x/v1", f"http://me:{KEY}@host/v1", f"http://host/v1?key={KEY}"]
)
def test_a_url_that_is_wrong_or_carries_a_key_is_refused_without_showing_it(url):
    with pytest.raises(UserError) as caught:
        make(url)
    assert KEY not in str(caught.value)


def test_no_url_is_refused():
    with pytest.raises(UserError, match="base_urls"):
        make()


def test_proxy_variables_are_not_heeded_unless_told(monkeypatch):
    with FaultServer() as server, FaultServer() as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.removesuffix("/v1"))
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        chat(make(server))
        assert (server.calls, proxy.calls) == (1, 0)

import asyncio

import pytest

from rewardlab.models.pool import Outage, Outcome, Pool


def pool(servers=1, concurrency=4, alive=lambda server: True, outage_seconds=0.05):
    async def is_alive(server):
        return alive(server)

    return Pool([f"http://s{n}" for n in range(servers)], concurrency, is_alive, 0.01, outage_seconds)


def play(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 5))


async def fail(servers, times=3):
    for _ in range(times):
        server = await servers.acquire()
        servers.release(server, Outcome.FAILED, 0.1)
    return server


def test_slots_are_given_first_come_first_served():
    async def story():
        servers = pool(concurrency=1)
        held = await servers.acquire()
        order = []

        async def wait(number):
            server = await servers.acquire()
            order.append(number)
            servers.release(server, Outcome.ANSWERED, 0.1)

        waiting = [asyncio.create_task(wait(number)) for number in range(5)]
        await asyncio.sleep(0)
        servers.release(held, Outcome.ANSWERED, 0.1)
        await asyncio.gather(*waiting)
        return order

    assert play(story()) == [0, 1, 2, 3, 4]


def test_the_least_loaded_server_is_chosen_and_a_tried_one_last():
    async def story():
        servers = pool(servers=3, concurrency=9)
        one = await servers.acquire()
        two = await servers.acquire()
        three = await servers.acquire({one, two})
        assert len({one, two, three}) == 3
        return (await servers.acquire({one, two})) is three

    assert play(story())


def test_waiters_that_are_cancelled_lose_no_slot():
    async def story():
        servers = pool(concurrency=2)
        held = [await servers.acquire() for _ in range(2)]
        waiting = [asyncio.create_task(servers.acquire()) for _ in range(6)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        for server in held:
            servers.release(server, Outcome.ANSWERED, 0.1)
        waiting[1].cancel()  # woken already, not run yet
        done, pending = await asyncio.wait(waiting, timeout=0.1)
        for task in pending:
            task.cancel()
        return sum(not task.cancelled() for task in done)

    assert play(story()) == 2


def test_three_failures_take_a_server_down_and_a_sign_of_life_puts_it_on_trial():
    async def story():
        signs = iter([False, True])
        servers = pool(concurrency=4, alive=lambda server: next(signs), outage_seconds=5)
        server = await fail(servers)
        assert server.down
        assert await servers.acquire() is server
        assert server.on_trial
        second = asyncio.create_task(servers.acquire())
        await asyncio.sleep(0.02)
        assert not second.done()  # one at a time until it succeeds
        servers.release(server, Outcome.ANSWERED, 0.1)
        assert await second is server
        return server.on_trial, server.counts.times_down

    assert play(story()) == (False, 1)


def test_a_failed_trial_takes_it_down_again():
    async def story():
        servers = pool(outage_seconds=5)
        await fail(servers)
        server = await fail(servers, times=1)
        await servers.aclose()
        return server.counts.times_down

    assert play(story()) == 2


def test_a_server_that_gives_signs_of_life_and_fails_its_trials_keeps_nobody_waiting():
    async def story():
        servers = pool(concurrency=8, outage_seconds=0.1)
        await fail(servers)
        waited = []

        async def call():
            started = asyncio.get_running_loop().time()
            try:
                server = await servers.acquire()
                await asyncio.sleep(0.2)
                servers.release(server, Outcome.TIMED_OUT, 0.2)
            finally:
                waited.append(asyncio.get_running_loop().time() - started)

        first = await asyncio.gather(*(call() for _ in range(20)), return_exceptions=True)
        second = await asyncio.gather(*(call() for _ in range(20)), return_exceptions=True)
        await servers.aclose()
        return first, second, max(waited)

    first, second, longest = play(story())
    # One of them is the trial; all that waited for it fail with it, and later ones do not wait.
    assert [type(e) for e in first if e is not None] == [Outage] * 19
    assert 19 <= sum(isinstance(e, Outage) for e in second) <= 20
    assert longest < 1.0


def test_while_a_server_is_on_its_first_trial_the_others_wait_for_it():
    async def story():
        servers = pool(concurrency=8, outage_seconds=0.02)
        await fail(servers)
        server = servers.servers[0]
        while server.down:
            await asyncio.sleep(0.005)
        trial = await servers.acquire()
        await asyncio.sleep(0.1)
        others = [asyncio.create_task(servers.acquire()) for _ in range(3)]
        await asyncio.sleep(0.05)
        assert not any(task.done() for task in others)
        servers.release(trial, Outcome.ANSWERED, 0.1)
        return len(await asyncio.gather(*others))

    assert play(story()) == 3


@pytest.mark.parametrize("outcome", [Outcome.ANSWERED, Outcome.DECLINED, Outcome.REFUSED])
def test_a_server_that_says_anything_sensible_is_alive(outcome):
    async def story():
        servers = pool()
        for _ in range(4):
            await fail(servers, times=2)
            server = await servers.acquire()
            servers.release(server, outcome, 0.1)
        return server.counts.times_down

    assert play(story()) == 0


def test_an_outage_ends_the_waiting_of_all_and_then_of_none():
    async def story():
        servers = pool(alive=lambda server: False)
        await fail(servers)
        waited = await asyncio.gather(*(servers.acquire() for _ in range(10)), return_exceptions=True)
        with pytest.raises(Outage, match="1 servers"):
            await asyncio.wait_for(servers.acquire(), 0.001)
        await servers.aclose()
        return {type(error) for error in waited}

    assert play(story()) == {Outage}


def test_an_answer_that_comes_late_from_a_server_that_is_down_does_not_hide_the_outage():
    async def story():
        servers = pool(alive=lambda server: False, outage_seconds=0.05)
        late = await servers.acquire()
        await fail(servers)
        servers.release(late, Outcome.ANSWERED, 0.1)
        with pytest.raises(Outage):
            await asyncio.wait_for(servers.acquire(), 1)
        await servers.aclose()

    play(story())

"""The store without a file."""

from proxy.store.memory import MemoryStore
from tests.helpers.cooldowns import build_cooldown, build_spot


async def test_the_latest_word_on_a_spot_is_kept() -> None:
    store = MemoryStore()
    store.watch(lambda spot, cooldown: None)
    store.put(build_cooldown(strikes=1))
    store.put(build_cooldown(strikes=2))
    store.put(build_cooldown(build_spot("b")))
    store.remove(build_spot("b"))
    store.remove(build_spot("never there"))
    assert store.read() == [build_cooldown(strikes=2)]
    await store.close()

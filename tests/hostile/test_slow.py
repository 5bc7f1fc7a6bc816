"""slowhttptest's three ways of being slow, at the same time: heads, bodies, reading."""

import asyncio
import re
import shutil
from pathlib import Path

import pytest

from tests.helpers.besieged import besieged, put_first
from tests.helpers.polite import visit

SECONDS = 8
LIMITS = 'head_timeout = "3s"\nbody_idle = "3s"\nwrite_stall = "3s"\nmemory = "400MiB"\nconnections_per_address = 0\n'

WAYS = {
    "slow heads": ("-H", "-i", "1", "-u", "{url}/nothing"),
    "slow bodies": ("-B", "-i", "1", "-s", "100000", "-u", "{url}/loud/v1/chat/completions"),
    "slow reading": (
        "-X",
        "-w",
        "512",
        "-y",
        "1024",
        "-n",
        "1",
        "-z",
        "32",
        "-u",
        "{url}/loud/clock?every=0&size=10000",
    ),
}


@pytest.mark.long
@pytest.mark.skipif(not shutil.which("slowhttptest"), reason="there is no slowhttptest here")
async def test_a_polite_client_does_not_notice(tmp_path: Path) -> None:
    async with besieged(tmp_path, LIMITS) as here:
        with put_first(here):
            await visit(here.port, 0.3)
            descriptors = here.count_descriptors()
            attacks = [await begin(arguments, here.port, tmp_path) for arguments in WAYS.values()]
            times = await visit(here.port, SECONDS - 2)
        for way, attack in zip(WAYS, attacks, strict=True):
            async with asyncio.timeout(2 * SECONDS):
                said = (await attack.communicate())[0].decode()
            if way == "slow reading":
                continue  # its own probe asks for the endless answer too, and waits for the end of it
            assert set(re.findall(r"service available:\S*\s*\S*?(YES|NO)", said)) == {"YES"}, said[-1500:]
        assert times.faults == []
        assert times.p99() < 0.5
        assert times.longest() < 2.0
        assert here.read_peak() < 400 * 2**20
        await here.wait_calm(descriptors)


async def begin(arguments: tuple[str, ...], port: int, folder: Path) -> asyncio.subprocess.Process:
    """slowhttptest: 300 connections, 150 a second."""
    url = f"http://127.0.0.1:{port}"
    command = ["slowhttptest", *(part.format(url=url) for part in arguments)]
    command += ["-c", "300", "-r", "150", "-l", str(SECONDS), "-p", "3"]
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=asyncio.subprocess.STDOUT, cwd=folder)

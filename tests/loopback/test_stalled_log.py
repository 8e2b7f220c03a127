"""A real server whose log is a pipe of 4 kB that nobody reads."""

import asyncio
import fcntl
import os
import re
import signal
import sys

import aiohttp

from tests.support.until import until

F_SETPIPE_SZ = 1031


async def test_a_log_that_nobody_reads_stops_nothing() -> None:
    """Forty-three requests were enough to stop it."""
    reads, writes = os.pipe()
    fcntl.fcntl(writes, F_SETPIPE_SZ, 4096)
    engines = ("--ast", "tests.support.engine_fakes:ast", "--tts", "tests.support.engine_fakes:tts")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rtc_server", "serve", "--port", "0", *engines),
        stdout=asyncio.subprocess.PIPE,
        stderr=writes,
    )
    os.close(writes)
    try:
        assert process.stdout
        url = None
        while url is None:
            url = re.search(r"http://\S+", (await process.stdout.readline()).decode())
        async with aiohttp.ClientSession(url[0]) as http:
            for _ in range(1200):  # of which 1000 may wait; metrics cost more
                async with http.get("/") as answer:
                    assert answer.status == 200

            async def dropped() -> float:
                async with http.get("/metrics") as answer:
                    text = await answer.text()
                found = re.search(r'rtc_queue_drops_total\{queue="log"\} (\S+)', text)
                return float(found[1]) if found else 0.0

            assert await dropped() > 0
        process.send_signal(signal.SIGTERM)
        await until(lambda: process.returncode is not None)
        assert process.returncode == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        os.close(reads)

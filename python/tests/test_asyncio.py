"""asyncio takes these sockets as it takes the kernel's."""

from __future__ import annotations

import asyncio
import os

import pytest

import tcpstack
from conftest import PATIENCE_SECONDS


def test_loop_sock_calls(alice: tcpstack.Stack, bob: tcpstack.Stack) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        with tcpstack.create_server(("10.7.0.1", 7600), stack=alice) as server:
            server.setblocking(False)

            async def echo() -> None:
                child, _ = await loop.sock_accept(server)
                with child:
                    while data := await loop.sock_recv(child, 100):
                        await loop.sock_sendall(child, data)

            task = asyncio.create_task(echo())
            with bob.socket() as client:
                client.setblocking(False)
                await loop.sock_connect(client, ("10.7.0.1", 7600))
                await loop.sock_sendall(client, b"async")
                assert await loop.sock_recv(client, 100) == b"async"
            await task

    asyncio.run(asyncio.wait_for(main(), PATIENCE_SECONDS))


def test_streams_over_sockets_that_were_made_before(
    alice: tcpstack.Stack, bob: tcpstack.Stack
) -> None:
    data = os.urandom(3_000_000)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert writer.get_extra_info("peername")[0] == "10.7.0.2"
        writer.write(await reader.read())
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async def main() -> None:
        listener = tcpstack.create_server(("10.7.0.1", 7601), stack=alice)
        async with await asyncio.start_server(answer, sock=listener):
            sock = bob.socket()
            sock.setblocking(False)
            await asyncio.get_running_loop().sock_connect(sock, ("10.7.0.1", 7601))
            reader, writer = await asyncio.open_connection(sock=sock)
            writer.write(data)
            writer.write_eof()
            assert await reader.read() == data
            writer.close()
            await writer.wait_closed()

    asyncio.run(asyncio.wait_for(main(), PATIENCE_SECONDS))


def test_streams_by_address_when_patched(alice: tcpstack.Stack) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readline()).upper())
        writer.close()
        await writer.wait_closed()

    async def main() -> None:
        async with await asyncio.start_server(answer, "127.0.0.1", 7602):
            reader, writer = await asyncio.open_connection("127.0.0.1", 7602)
            writer.write(b"shout\n")
            assert await reader.read() == b"SHOUT\n"
            writer.close()
            await writer.wait_closed()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", 1)

    with tcpstack.patched(alice):
        asyncio.run(asyncio.wait_for(main(), PATIENCE_SECONDS))

"""WeChat's per-follower calls with a delay and nothing else: `python -m benchmarks.stub PORT DELAY_MS`.

The simulator keeps each message and does some 150 a second; this one answers thousands.  GET /times: when each came.
"""

import asyncio
import json
import sys
import time
from array import array

TIMES = array("d")


def main() -> None:
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2]) / 1000))


async def serve(port: int, delay: float) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                length = 0
                while (header := await reader.readline()) not in (b"\r\n", b""):
                    if header.lower().startswith(b"content-length:"):
                        length = int(header.split(b":")[1])
                await reader.readexactly(length)
                path = line.split(b" ")[1]
                if path == b"/times":
                    body = json.dumps(list(TIMES)).encode()
                    del TIMES[:]
                elif b"token" in path.partition(b"?")[0]:
                    body = b'{"access_token": "t", "expires_in": 7200}'
                else:
                    TIMES.append(time.time())
                    await asyncio.sleep(delay)
                    body = b'{"errcode": 0, "errmsg": "ok", "msgid": 1}'
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
                )
                writer.write(body)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


if __name__ == "__main__":
    main()

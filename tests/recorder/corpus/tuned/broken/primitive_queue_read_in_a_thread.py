"""A mail queue that is read in the server's loop and, for large mails, in a thread with its own loop.

The thread waits for the same asyncio.Queue, which belongs to the server's loop, and stops with a RuntimeError.
"""

# drivers: aiosqlite

import asyncio
import threading


class Mailbox:
    def __init__(self):
        self.mails = asyncio.Queue()

    async def next(self):
        return await self.mails.get()  # finding: primitive-crossed-loops


class Reader(threading.Thread):
    def __init__(self, mailbox):
        super().__init__(name="large-mails")
        self.mailbox = mailbox
        self.result = None

    def run(self):
        try:
            self.result = asyncio.run(self.mailbox.next())
        except RuntimeError as error:
            self.result = str(error)[-36:]


async def main():
    mailbox = Mailbox()
    server = asyncio.create_task(mailbox.next(), name="server")
    await asyncio.sleep(0)
    reader = Reader(mailbox)
    reader.start()
    reader.join()
    mailbox.mails.put_nowait("hello")
    print("server:", await server)
    print("reader:", reader.result)


asyncio.run(main())

"""
Many questions at once, and nobody who minds them.

`ask_all` asks the database many questions over the program's own engine, at most `at_once` at the same time,
and returns their answers in the order of the questions. A question is an async function: it is given a
connection, and returns its answer.

It asks as many at once as the pool lets it, and when one question fails it leaves the others to themselves.
Mend it:

- never more than `at_once` connections of the engine are out, and as long as there are enough questions, no
  fewer;
- an error of a question goes to the caller, alone or in an exception group;
- when `ask_all` has ended, by an answer, an error or a cancellation, nothing of it is running and nothing is
  out.
"""

import asyncio


async def ask_all(engine, questions, at_once):
    async def ask(question):
        async with engine.connect() as connection:
            return await question(connection)

    return await asyncio.gather(*[ask(question) for question in questions])

"""
Ask one after the other.

Fails: test_no_fewer_are_asked_at_once_than_wanted

Because: a loop with an `await` in it begins the next question when it has the answer to the last. There is
never more than one at once, which is safe, and the waits add up.
"""


async def ask_all(engine, questions, at_once):
    answers = []
    for question in questions:
        async with engine.connect() as connection:
            answers.append(await question(connection))
    return answers

"""An outcome is a value that can be asked, printed and shown."""

from __future__ import annotations

import pytest

from labkit.scene import Happening, Kind, Outcome

FAILED = Outcome(
    exception=ValueError("wrong"),
    happenings=(
        Happening(Kind.LOG, "hello", "lab"),
        Happening(Kind.EXCEPTION, "wrong\nsecond line", "ValueError", "Traceback …\nwrong"),
        Happening(Kind.LOOP_CLOSED, "the event loop is closed"),
        Happening(Kind.WARNING, "coroutine 'f' was never awaited", "RuntimeWarning", loop_closed=True),
    ),
)


def test_it_prints_one_line_for_each_happening_in_order() -> None:
    assert str(FAILED).splitlines() == [
        "log         lab: hello",
        "exception   ValueError: wrong",
        "loop closed the event loop is closed",
        "warning     RuntimeWarning: coroutine 'f' was never awaited",
    ]


def test_a_result_is_printed_when_nothing_was_raised() -> None:
    assert str(Outcome(result=[1])) == "result      [1]"


def test_a_scene_that_was_stopped_prints_where_it_waited() -> None:
    assert str(Outcome(timed_out=True, waiting=("Task-1: here",))) == "timed out   Task-1: here"


def test_an_exception_is_no_silent_failure_whatever_it_says() -> None:
    raised = Happening(Kind.EXCEPTION, "coroutine 'f' was never awaited", "RuntimeWarning")

    assert FAILED.silent_failures == (FAILED.happenings[3],)
    assert Outcome(happenings=(raised,)).silent_failures == ()


def test_happenings_are_found_by_kind_and_by_words() -> None:
    assert FAILED.of(Kind.LOG, Kind.WARNING) == (FAILED.happenings[0], FAILED.happenings[3])
    assert FAILED.says("Traceback")
    assert not FAILED.says("goodbye")


def test_the_page_says_in_words_what_it_says_in_colours() -> None:
    page = FAILED._repr_html_()

    assert page.count("<tr") == 4
    for kind in ("log", "exception", "loop closed", "warning, silent"):
        assert f"<b>{kind}</b>" in page


def test_the_page_shows_the_result_and_where_a_stopped_scene_waited() -> None:
    assert "<code>[1]</code>" in Outcome(result=[1])._repr_html_()
    assert "Task-1: here" in Outcome(timed_out=True, waiting=("Task-1: here",))._repr_html_()


@pytest.mark.parametrize("place", ["text", "source", "detail"])
def test_what_a_stranger_wrote_stays_text(place: str) -> None:
    happening = Happening(Kind.LOG, **{"text": "hello", "source": "lab", "detail": "", place: "<script>x</script>"})
    page = Outcome(result="<b>", happenings=(happening,))._repr_html_()

    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "&lt;b&gt;" in page


def test_addresses_and_long_texts_are_one_click_away() -> None:
    text = f"<Connection object at 0x7f2a> {'x' * 300}"
    page = Outcome(happenings=(Happening(Kind.LOG, text, "pool", text),))._repr_html_()
    summary, _, detail = page.partition("</summary>")

    assert "0x7f2a" not in summary
    assert "…" in summary
    assert "0x7f2a" in detail
    assert "x" * 300 in detail

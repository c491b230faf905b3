"""Letters that wait, are sent once, and are never sent twice by themselves."""

from evdesk.domain.mail import Attachment, Letter, MailServer, MailState, Security
from evdesk.domain.secrets import Secret
from tests.storage.sites import at, raw, writing

LETTER = Letter(
    "alert", "1@x", "owner@example.org", "Depot: Fault", "Something is wrong.\n",
    (Attachment("a.pdf", "application/pdf", b"%PDF"), Attachment("b.xml", "text/xml", b"<b/>")),
)  # fmt: skip
SERVER = MailServer(
    "mail.example.org", 465, Security.TLS, "desk@example.org", "owner@example.org",
    "desk", Secret(b"hunter2"), "-----BEGIN",
)  # fmt: skip


def put(store, *letters: Letter) -> None:
    with writing(store) as unit:
        for letter in letters:
            unit.outbox.add(letter, at(0))


def test_a_server_comes_back_with_its_password_and_goes_whole(store) -> None:
    with writing(store) as unit:
        assert unit.outbox.server() is None
        unit.outbox.set_server(SERVER)
        found = unit.outbox.server()
        assert found is not None
        assert found.password is not None
        assert found.password.reveal() == b"hunter2"
        assert "hunter2" not in repr(found)
        assert (found.host, found.port, found.security) == ("mail.example.org", 465, Security.TLS)
        unit.outbox.clear_server()
        assert unit.outbox.server() is None


def test_the_password_is_in_no_file_in_plain(store, folder) -> None:
    with writing(store) as unit:
        unit.outbox.set_server(SERVER)
    for file in folder.rglob("*"):
        if file.is_file():
            assert b"hunter2" not in file.read_bytes()


def test_a_letter_is_taken_by_one_of_two(store) -> None:
    put(store, LETTER)
    with store.journal() as unit:
        posted = unit.outbox.claim(at(1))
        assert posted is not None
        assert posted.letter == LETTER
        assert (posted.state, posted.attempts) == (MailState.SENDING, 1)
    with store.journal() as unit:
        assert unit.outbox.claim(at(1)) is None


def test_a_letter_waits_until_it_is_due(store) -> None:
    put(store, LETTER)
    with store.journal() as unit:
        posted = unit.outbox.claim(at(1))
        assert posted is not None
        unit.outbox.settle(posted.id, MailState.WAITING, "not now", at(60))
    with store.journal() as unit:
        assert unit.outbox.claim(at(59)) is None
        assert not unit.outbox.is_due(at(59), at(0))
        again = unit.outbox.claim(at(60))
        assert again is not None
        assert (again.attempts, again.told) == (2, "not now")


def test_a_letter_left_by_a_program_that_died_is_unclear(store) -> None:
    put(store, LETTER)
    with store.journal() as unit:
        unit.outbox.claim(at(1))
    with store.journal() as unit:
        unit.outbox.give_up_stuck(at(1))
        assert unit.outbox.newest(9)[0].state is MailState.SENDING
        assert unit.outbox.is_due(at(3), at(2))
        unit.outbox.give_up_stuck(at(2))
        (posted,) = unit.outbox.newest(9)
        assert posted.state is MailState.UNCLEAR
        assert unit.outbox.claim(at(99)) is None
        unit.outbox.settle(posted.id, MailState.SENT, "late")
        assert unit.outbox.newest(9)[0].state is MailState.UNCLEAR
        unit.outbox.retry(posted.id, at(100))
        assert unit.outbox.claim(at(100)) is not None


def test_up_to_where_people_were_told_is_kept(store) -> None:
    with writing(store) as unit:
        assert unit.outbox.told_up_to() == (0, 0)
        unit.outbox.set_told(3, 5)
        unit.outbox.set_told(4, 6)
        assert unit.outbox.told_up_to() == (4, 6)


def test_attachments_go_with_their_letter(store, folder, data_key) -> None:
    put(store, LETTER)
    connection = raw(folder, data_key)
    connection.run("DELETE FROM outbox")
    assert connection.number("SELECT count(*) FROM outbox_attachment") == 0
    connection.close()

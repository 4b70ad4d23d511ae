"""Reading strace's lines: whole calls, interrupted ones, and what must not be skipped."""

import pytest

from tests.power.trace import Call, Descriptor, Half, TraceError, read_trace, thread_groups


def _hex(text: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


def _read(*lines: str) -> list[Call]:
    return list(read_trace(lines))


def test_a_positioned_write_is_read_with_its_path_data_and_offset() -> None:
    line = f'12 1.5 pwrite64(3<{_hex("/d/a, b")}>, "{_hex("hello")}", 5, 4096) = 5'
    (call,) = _read(line)
    assert (call.pid, call.name, call.half, call.result) == (12, "pwrite64", Half.WHOLE, 5)
    assert call.descriptor() == Descriptor(3, "/d/a, b", deleted=False)
    assert (call.data(), call.last_number()) == (b"hello", 4096)


def test_a_short_write_carries_only_what_went() -> None:
    (call,) = _read(f'1 1.0 write(3<{_hex("/d/a")}>, "{_hex("hello")}", 5) = 2')
    assert call.data() == b"he"


def test_a_vector_is_joined() -> None:
    pieces = f'[{{iov_base="{_hex("ab")}", iov_len=2}}, {{iov_base="{_hex("c")}", iov_len=1}}]'
    (call,) = _read(f"1 1.0 writev(3<{_hex('socket:[7]')}>, {pieces}, 2) = 3")
    assert call.data() == b"abc"


def test_an_open_names_the_file_it_opened() -> None:
    folder, name = _hex("/d"), _hex("a")
    line = f'1 1.0 openat(AT_FDCWD<{folder}>, "{name}", O_RDWR|O_CREAT, 0644) = 4<{_hex("/d/a")}>'
    (call,) = _read(line)
    assert (call.result, call.opened, call.strings()) == (4, "/d/a", [b"a"])


def test_a_deleted_file_is_marked() -> None:
    (call,) = _read(f"1 1.0 fsync(3<{_hex('/d/z')}>(deleted)) = 0")
    assert call.descriptor() == Descriptor(3, "/d/z", deleted=True)


def test_an_interrupted_call_has_two_halves_and_all_its_arguments() -> None:
    first, between, second = _read(
        f"1 1.0 fdatasync(3<{_hex('/d/a')}> <unfinished ...>",
        f'2 1.1 unlink("{_hex("/d/b")}") = 0',
        "1 1.2 <... fdatasync resumed>) = 0",
    )
    assert (first.half, between.half, second.half) == (Half.BEGIN, Half.WHOLE, Half.END)
    assert second.descriptor() == Descriptor(3, "/d/a", deleted=False)
    assert not first.succeeded
    assert second.succeeded


def test_a_failed_call_did_not_succeed() -> None:
    (call,) = _read(f'1 1.0 unlink("{_hex("/d/b")}") = -1 ENOENT (No such file or directory)')
    assert not call.succeeded


def test_exits_and_signals_are_passed_over() -> None:
    assert _read("1 1.0 +++ exited with 0 +++", "1 1.0 --- SIGTERM {si_signo=SIGTERM} ---") == []


def test_a_shortened_string_is_refused() -> None:
    (call,) = _read(f'1 1.0 write(3<{_hex("/d/a")}>, "{_hex("he")}"..., 5) = 5')
    with pytest.raises(TraceError, match="shortened"):
        call.data()


@pytest.mark.parametrize("line", ["", "rubbish", "1 1.0 fsync(3<>"])
def test_what_cannot_be_read_is_refused(line: str) -> None:
    with pytest.raises(TraceError):
        _read(line)


def test_threads_belong_to_the_process_that_started_them() -> None:
    calls = _read(
        "1 1.0 clone3({flags=CLONE_VM|CLONE_THREAD, exit_signal=0}, 88) = 2",
        "2 1.0 clone3({flags=CLONE_VM|CLONE_THREAD, exit_signal=0}, 88) = 3",
        "1 1.0 clone(child_stack=NULL, flags=CLONE_CHILD_SETTID|SIGCHLD) = 4",
    )
    assert thread_groups(calls) == {2: 1, 3: 1}

"""What each flowing format is read into, and that every line stands where its box says."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import docx
import pytest

from atoll.domain import media
from atoll.errors import DocumentTooLarge, DocumentUnreadable
from parser.limits import ContentLimits
from tests.support.pages import lines_not_in_their_boxes, lines_with_strangers_in_their_boxes
from tests.unit.parser.reading import read

PUBLIC = Path(__file__).parents[4] / "shared" / "data" / "documents"
SAMPLES = Path(__file__).parents[3] / "samples"

SCRIPTS = """\
# Many scripts

Ελληνικά: η θάλασσα είναι γαλάζια. Русский: море синее, а корабль «Надежда» белый.

עברית: הים כחול והספינה (שמה "תקווה") לבנה. המספר 123-456 נמצא ב-Atoll version 2.0 של המערכת, וזו פסקה ארוכה.

العربية: البحر أزرق والسفينة «الأمل» بيضاء. لا إله إلا الله، السلام عليكم ورحمة الله وبركاته، رقم ١٢٣ و 456 في النص.

日本語の文章です。これは長い文章で、改行の位置を確認するために書かれています。東京都千代田区永田町一丁目七番一号、終。

中文简体：这是一个很长的段落，用来检查换行是否正确。中文没有空格，所以可以在任何字符之间换行。这是第二句话，也很长。

한국어: 바다는 파랗고 배는 하얗습니다. हिन्दी: समुद्र नीला है। ไทย: ทะเลสีฟ้า

| שם | ערך |
|---|---|
| תקווה | 17 |
"""


class TestPlainText:
    def test_blank_lines_part_paragraphs_and_lines_stay(self, tmp_path: Path) -> None:
        reading = read(tmp_path, b"one\ntwo\n\n  three\tfour \n\n\n", media.TEXT)
        assert reading.texts == ["one\ntwo", "three four"]
        assert [line.text for line in reading.document.blocks[0].lines] == ["one", "two"]

    def test_a_long_line_is_wrapped_and_a_broken_word_is_whole_again(self, tmp_path: Path) -> None:
        address = "https://example.org/" + "0123456789abcdef/" * 20
        text = f"See {address} and " + "some more words " * 40
        reading = read(tmp_path, text.encode(), media.TEXT)
        assert len(reading.document.blocks[0].lines) > 5
        assert reading.texts == [text.strip()]
        assert max(line.box.x1 for block in reading.document.blocks for line in block.lines) <= 595.3 - 56 + 0.1

    def test_a_script_without_spaces_is_whole_again(self, tmp_path: Path) -> None:
        text = "海は青く、船は白い。" * 40
        assert read(tmp_path, text.encode(), media.TEXT).texts == [text]

    def test_one_token_of_a_megabyte_is_read(self, tmp_path: Path) -> None:
        reading = read(tmp_path, b"x" * 1_000_000, media.TEXT)
        assert sum(len(line.text) for block in reading.document.blocks for line in block.lines) == 1_000_000

    def test_only_white_space_gives_one_empty_page(self, tmp_path: Path) -> None:
        reading = read(tmp_path, b" \n\t\n", media.TEXT)
        assert reading.texts == []
        assert len(reading.document.pages) == 1

    def test_hidden_characters_are_removed_and_told(self, tmp_path: Path) -> None:
        reading = read(tmp_path, "pay\u202eload".encode(), media.TEXT)
        assert reading.texts == ["payload"]
        assert reading.warned == [("hidden_characters", None)]

    def test_a_character_no_font_has_is_kept_and_told(self, tmp_path: Path) -> None:
        reading = read(tmp_path, "rune \U00010332 end".encode(), media.TEXT)
        assert reading.texts == ["rune \U00010332 end"]
        assert reading.warned == [("no_glyph", None)]
        assert "U+10332" in reading.document.warnings[0].message

    def test_the_same_bytes_give_the_same_pdf(self, tmp_path: Path) -> None:
        first = read(tmp_path, b"words", media.TEXT).pdf.read_bytes()
        assert read(tmp_path, b"words", media.TEXT).pdf.read_bytes() == first

    @pytest.mark.parametrize(
        ("limits", "message"),
        [
            (ContentLimits(characters=100), "200 characters of text or more; the limit is 100"),
            (ContentLimits(pages=1), "2 pages or more; the limit is 1"),
        ],
    )
    def test_limits_are_told(self, tmp_path: Path, limits: ContentLimits, message: str) -> None:
        with pytest.raises(DocumentTooLarge, match=message):
            read(tmp_path, b"a\n" * 100, media.TEXT, limits=limits)


class TestMarkdown:
    def test_blocks(self, tmp_path: Path) -> None:
        text = (
            '---\ntags: x\n---\n# Title\n\nA *soft*\nbreak and a [link](http://x/ "t") with `code`.\n\n'
            "- one\n  1. deep\n  2. deeper\n- two\n\n> quoted\n\n```py\nif x:\n    y\n```\n\n"
            "| a | b |\n|---|---|\n| 1 | **2** |\n\n### Sub\n\n<div>raw <b>html</b></div>\n"
        )
        reading = read(tmp_path, text.encode(), media.MARKDOWN)
        assert reading.document.title == "Title"
        assert reading.kinds == [
            ("table", 0, "tags | x"),
            ("heading", 1, "Title"),
            ("paragraph", 0, "A soft break and a link with code."),
            ("list_item", 0, "one"),
            ("list_item", 0, "1. deep"),
            ("list_item", 0, "2. deeper"),
            ("list_item", 0, "two"),
            ("quote", 0, "quoted"),
            ("code", 0, "if x:\n    y"),
            ("table", 0, "a | b\n1 | 2"),
            ("heading", 3, "Sub"),
            ("paragraph", 0, "raw html"),
        ]

    def test_a_long_file_is_read_in_parts_without_loss(self, tmp_path: Path) -> None:
        text = "".join(
            f"## Part {n}\n\n" + "word " * 50 + "\n\n```\nfence\n\n# no heading\n```\n\n" for n in range(2500)
        )
        reading = read(tmp_path, text.encode(), media.MARKDOWN)
        headings = [block.text for block in reading.document.blocks if block.kind == "heading"]
        assert headings == [f"Part {n}" for n in range(2500)]


class TestHtml:
    def test_blocks(self, tmp_path: Path) -> None:
        page = """<!DOCTYPE html><html><head><title>The &amp; title</title><style>p{}</style></head><body>
            <nav>menu</nav><script>alert(1)</script>
            <h1>Head<br>ing</h1><p>First <b>bold</b>text<br>second   line</p>
            <p style="display: none">unseen</p><div hidden>unseen</div><span aria-hidden="true">unseen</span>
            <ul><li>one<ol start="3"><li>three</li></ol></li><li>two</li></ul>
            <table><caption>Caption</caption><tr><th>a</th><th>b</th></tr><tr><td>1<p>x</p></td><td></td></tr></table>
            <pre>  kept\n    so</pre><blockquote>said</blockquote>loose text
            <footer>imprint</footer></body></html>"""
        reading = read(tmp_path, page.encode(), media.HTML)
        assert reading.document.title == "The & title"
        assert reading.kinds == [
            ("heading", 1, "Head ing"),
            ("paragraph", 0, "First boldtext\nsecond line"),
            ("list_item", 0, "one"),
            ("list_item", 0, "3. three"),
            ("list_item", 0, "two"),
            ("table", 0, "Caption\na | b\n1 x | "),
            ("code", 0, "  kept\n    so"),
            ("quote", 0, "said"),
            ("paragraph", 0, "loose text"),
            ("page_footer", 0, "imprint"),
        ]

    def test_a_declared_encoding_is_used(self, tmp_path: Path) -> None:
        page = '<meta http-equiv="Content-Type" content="text/html; charset=windows-1255"><p>שלום</p>'.encode("cp1255")
        assert read(tmp_path, page, media.HTML).texts == ["שלום"]

    @pytest.mark.parametrize(
        "page", [b"<p>open <b>ended", b"</div></table><p>x", b"<table><td>a<td>b", b"&#0;&#x202e;x", b"<" * 1000]
    )
    def test_broken_pages_are_read(self, tmp_path: Path, page: bytes) -> None:
        assert read(tmp_path, page, media.HTML).document.pages

    def test_a_table_in_a_table_is_its_cells_text(self, tmp_path: Path) -> None:
        page = b"<table><tr><td>a</td><td><table><tr><td>b</td><td>c</td></tr></table></td></tr></table>"
        words = " ".join(read(tmp_path, page, media.HTML).texts).replace("|", " ").split()
        assert words == ["a", "b", "c"]


def word_document(build: Callable[[docx.document.Document], None]) -> bytes:
    document = docx.Document()
    build(document)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


class TestWord:
    def test_blocks_in_document_order(self, tmp_path: Path) -> None:
        def build(document: docx.document.Document) -> None:
            document.core_properties.title = "Known as"
            document.add_heading("Head", 1)
            document.add_paragraph("Before the table.")
            table = document.add_table(2, 2)
            for cell, text in zip([*table.rows[0].cells, *table.rows[1].cells], "abcd", strict=True):
                cell.text = text
            document.add_paragraph("point", style="List Bullet")
            document.add_heading("Sub", 3)
            run = document.add_paragraph("seen ").add_run("hidden")
            run.font.hidden = True

        reading = read(tmp_path, word_document(build), media.DOCX)
        assert reading.document.title == "Known as"
        assert reading.kinds == [
            ("heading", 1, "Head"),
            ("paragraph", 0, "Before the table."),
            ("table", 0, "a | b\nc | d"),
            ("list_item", 0, "point"),
            ("heading", 3, "Sub"),
            ("paragraph", 0, "seen"),
        ]

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"plain text", "its content is not a zip archive"),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "encrypted or in the old Word format"),
            (b"PK\x03\x04" + bytes(100), "its content is not a zip archive"),
        ],
    )
    def test_what_is_no_word_document_is_told(self, tmp_path: Path, content: bytes, message: str) -> None:
        with pytest.raises(DocumentUnreadable, match=message):
            read(tmp_path, content, media.DOCX)

    def test_a_cut_off_document_is_told(self, tmp_path: Path) -> None:
        whole = word_document(lambda document: document.add_paragraph("x"))
        with pytest.raises(DocumentUnreadable):
            read(tmp_path, whole[: len(whole) // 2], media.DOCX)

    def test_a_zip_of_something_else_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(DocumentUnreadable, match="no readable Word document"):
            read(tmp_path, zipped({"a.txt": b"x"}), media.DOCX)

    @pytest.mark.parametrize(
        ("entries", "limits", "message"),
        [
            ({"a": bytes(5_000_000)}, ContentLimits(), "more than 200 times its size"),
            ({str(n): b"" for n in range(11)}, ContentLimits(archive_entries=10), "11 entries; the limit is 10"),
            ({"a": bytes(range(256)) * 100}, ContentLimits(inflated_bytes=10_000), "past the limit of 10000 bytes"),
        ],
    )
    def test_zip_bombs_are_counted_while_inflating(
        self, tmp_path: Path, entries: dict[str, bytes], limits: ContentLimits, message: str
    ) -> None:
        with pytest.raises(DocumentTooLarge, match=message):
            read(tmp_path, zipped(entries), media.DOCX, limits=limits)


def zipped(entries: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return out.getvalue()


class TestBoxes:
    @pytest.mark.parametrize("media_type", [media.TEXT, media.MARKDOWN])
    def test_every_script_stands_where_its_box_says(self, tmp_path: Path, media_type: str) -> None:
        reading = read(tmp_path, SCRIPTS.encode(), media_type, name="שם — имя — 名前.md")
        assert reading.warned == []
        assert lines_not_in_their_boxes(reading.document, reading.pdf) == []
        assert lines_with_strangers_in_their_boxes(reading.document, reading.pdf) == []
        assert "הים כחול והספינה" in " ".join(reading.texts)

    def test_lines_of_a_page_do_not_overlap(self, tmp_path: Path) -> None:
        reading = read(tmp_path, ("word " * 30 + "\n").encode() * 60, media.TEXT)
        lines = [line for block in reading.document.blocks for line in block.lines if line.page == 1]
        assert all(above.box.y1 <= below.box.y0 + 0.2 for above, below in pairwise(lines))
        assert all(line.box.y0 >= 0 and line.box.y1 <= 842 for line in lines)

    @pytest.mark.parametrize("folder", [PUBLIC, SAMPLES], ids=["public", "samples"])
    def test_every_line_of_real_documents_is_in_its_box(self, tmp_path: Path, folder: Path) -> None:
        if not folder.is_dir():
            pytest.skip(f"the documents are not here: {folder}")
        seen = 0
        for path in sorted(folder.iterdir()):
            if path.suffix not in media.ACCEPTED or path.suffix == ".pdf":
                continue
            content = path.read_bytes()
            media_type = media.sniff(path.name, content[: media.HEAD_BYTES])
            reading = read(tmp_path, content, media_type, name=path.name)
            lost = lines_not_in_their_boxes(reading.document, reading.pdf)
            # What no font can draw was told; nothing else may be missing.
            told = [line for line in lost if ("no_glyph", None) in reading.warned and not line.text.isascii()]
            assert lost == told, path.name
            assert len(told) <= 3
            assert lines_with_strangers_in_their_boxes(reading.document, reading.pdf) == [], path.name
            if media.FAMILIES[media_type] == "picture":
                assert {kind for kind, _ in reading.warned} == {"no_text_layer"}
                continue
            assert reading.document.blocks
            seen += 1
        assert seen >= 4

"""The commands of a Markdown page, with what the page says about how to run
them.

Between `<!-- tour:begin -->` and `<!-- tour:end -->` every ```sh block is
preceded by a line that says what to do with it:

    <!-- tour:run -->                   run it; it must exit 0
    <!-- tour:run exit=3 -->            run it; it must exit 3
    <!-- tour:start ready="text" -->    leave it running, go on when it printed
                                        text; it is interrupted at the end, in
                                        reverse order, and must exit 0
"""

import dataclasses
import re

MARK = re.compile(r"<!--\s*tour:(\w+)(.*?)-->")
SETTING = re.compile(r'(\w+)=(?:"([^"]*)"|(\S+))')


@dataclasses.dataclass
class Block:
    kind: str
    settings: dict
    command: str
    line: int


def blocks(text):
    """The blocks of the tour in their order; a page without a tour, or a block
    without a mark, is a mistake."""
    found, mark, inside, fence = [], None, False, None
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        m = MARK.fullmatch(line.strip())
        if fence is not None:
            if line.strip() == "```":
                found.append(Block(mark[0], mark[1], "\n".join(fence), number - len(fence)))
                fence, mark = None, None
            else:
                fence.append(line)
        elif m and m[1] == "begin":
            inside = True
        elif m and m[1] == "end":
            inside = False
        elif m and inside:
            mark = (m[1], {k: a or b for k, a, b in SETTING.findall(m[2])})
        elif inside and line.strip() in ("```sh", "```bash", "```shell"):
            if mark is None or mark[0] not in ("run", "start"):
                raise ValueError(f"line {number}: a block of the tour without <!-- tour:run --> or tour:start")
            fence = []
    if inside or fence is not None:
        raise ValueError("the tour does not end")
    if not found:
        raise ValueError("no tour on this page")
    return found

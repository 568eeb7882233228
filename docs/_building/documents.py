"""Documents of the project that lie outside docs/, and the links that lead to them.

On a code host `../CONTRIBUTING.md` is a link like any other; on the site the file needs a page. Every file that a page
links to gets one below `repository/`: a document as it is, other texts as a block of code.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath

DOCS = "docs"
ELSEWHERE = "repository"

CODE = re.compile(r"^ *(`{3,}|~~~).*?^ *\1[^\n]*$|`[^`\n]*`", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"(?P<before>\]\(\s*<?|^\[[^\]]+\]:\s+)(?P<target>[^)<>\s#]+)", re.MULTILINE)
ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*:|//|#", re.IGNORECASE)


def source_of(repository_path: str) -> str:
    """Return the name of a page, or of a picture of docs/, among the sources of the site.

    Examples
    --------
    >>> source_of("docs/ledger.md"), source_of("CHANGELOG.md"), source_of("models/pool.toml")
    ('ledger.md', 'repository/CHANGELOG.md', 'repository/models/pool.toml.md')
    """
    path = PurePosixPath(repository_path)
    if path.parts[0] == DOCS:
        return PurePosixPath(*path.parts[1:]).as_posix()
    return f"{ELSEWHERE}/{path}" if path.suffix == ".md" else f"{ELSEWHERE}/{path}.md"


def links_of(text: str) -> list[str]:
    """Return the relative targets of the links of a document, without anchors; those within code are none."""
    found = [match["target"] for match in LINK.finditer(CODE.sub("", text))]
    return [target for target in found if not ADDRESS.match(target)]


def target_of(link: str, document: str, root: Path) -> str:
    """Return the path within the repository to which a link of a document leads; of a folder, its README."""
    path = normpath(f"{PurePosixPath(document).parent}/{link}")
    return f"{path}/README.md" if (root / path).is_dir() else path


def outside_documents(root: Path, start: list[str]) -> list[str]:
    """Return all files outside docs/ to which documents lead, also by way of each other.

    Parameters
    ----------
    root : Path
        Of the repository.
    start : list of str
        Documents that are pages in any case, by their path within the repository.
    """
    inside = sorted(path.relative_to(root).as_posix() for path in (root / DOCS).rglob("*.md"))
    seen, waiting = set(), [*inside, *start]
    while waiting:
        document = waiting.pop()
        if document in seen or not (root / document).is_file():  # a broken link is the matter of the checks of links
            continue
        seen.add(document)
        if document.endswith(".md"):
            text = (root / document).read_text(encoding="utf-8")
            waiting += [target_of(link, document, root) for link in links_of(text)]
    return sorted(path for path in seen if not path.startswith(f"{DOCS}/"))


def with_links_of_the_site(text: str, document: str, root: Path) -> str:
    """Return a document with each link to a page of the site as a link between the sources of pages.

    Parameters
    ----------
    text : str
    document : str
        Its path within the repository.
    root : Path
        Of the repository.
    """
    folder = PurePosixPath(source_of(document)).parent.as_posix()

    def changed(match: re.Match[str]) -> str:
        link = match["target"]
        if ADDRESS.match(link):
            return match[0]
        target = target_of(link, document, root)
        if not (root / target).is_file():
            return match[0]
        return match["before"] + relpath(source_of(target), folder)

    pieces, end = [], 0
    for code in CODE.finditer(text):
        pieces += [LINK.sub(changed, text[end : code.start()]), code[0]]
        end = code.end()
    return "".join([*pieces, LINK.sub(changed, text[end:])])


def page_of(repository_path: str, root: Path) -> str:
    """Return the page of a file: a document as it is, other texts as a block of code."""
    text = (root / repository_path).read_text(encoding="utf-8")
    if repository_path.endswith(".md"):
        return text
    language = {".py": "python", ".toml": "toml"}.get(PurePosixPath(repository_path).suffix, "text")
    return f"# {PurePosixPath(repository_path).name}\n\n`{repository_path}`\n\n````{language}\n{text}````\n"

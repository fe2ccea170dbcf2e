"""Markdown as plain text a person likes to read: the text part of a campaign, from the same source as its HTML."""

import textwrap


def render(node):
    """The plain text of a markdown-it syntax tree; links with their addresses."""
    return _BLOCKS.get(node.type, _children)(node)


def _children(node):
    return "\n\n".join(filter(None, (render(child) for child in node.children)))


def _heading(node):
    """Underlined, as one does on a typewriter."""
    words = _children(node)
    return f"{words}\n{('=' if node.tag == 'h1' else '-') * max(map(len, words.splitlines()), default=0)}"


def _items(node, marks):
    tight = any(paragraph.hidden for item in node.children for paragraph in item.children)
    items = []
    for mark, item in zip(marks, node.children, strict=False):
        lines = textwrap.indent(_children(item), " " * len(mark))
        items.append(mark + lines[len(mark) :])
    return ("\n" if tight else "\n\n").join(items)


def _bullets(node):
    return _items(node, ["- "] * len(node.children))


def _numbers(node):
    first = int(node.attrs.get("start", 1))
    return _items(node, [f"{number}. " for number in range(first, first + len(node.children))])


def _quote(node):
    return textwrap.indent(_children(node), "> ", lambda line: True)


def _code(node):
    return textwrap.indent(node.content.rstrip("\n"), "    ")


def _inline(node):
    return "".join(_span(child) for child in node.children)


def _span(node):
    inner = "".join(_span(child) for child in node.children)
    match node.type:
        case "text":
            return node.content
        case "softbreak":
            return " "
        case "hardbreak":
            return "\n"
        case "strong":
            return f"*{inner}*"
        case "em":
            return f"_{inner}_"
        case "code_inline":
            return node.content
        case "image":
            return f"[{inner}]"
        case "link":
            address = str(node.attrs["href"])
            shown = address.removeprefix("mailto:")
            return shown if inner in {address, shown} else f"{inner} ({shown})"
    return inner


_BLOCKS = {
    "heading": _heading,
    "bullet_list": _bullets,
    "ordered_list": _numbers,
    "blockquote": _quote,
    "fence": _code,
    "code_block": _code,
    "hr": lambda node: "----------",
    "inline": _inline,
}

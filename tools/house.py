"""house.py: what the checks of this tree share: walking it, and reading C without comments."""
import os
import re
import sys

SKIP = {'.git', 'build', 'out', '__pycache__'}
C_ENDINGS = ('.c', '.h', '.S', '.inc', '.def')

_LEXEME = re.compile(
    r'//(?:[^\\\n]|\\.|\\\n)*'  # a line comment
    r'|/\*.*?\*/'  # a block comment
    r'|"(?:[^"\\\n]|\\.|\\\n)*"'  # a string
    r"|'(?:[^'\\\n]|\\.|\\\n)*'",  # a character
    re.DOTALL)


def walk(root):
    """Paths of all files of the tree, relative to root, sorted; build results are left out."""
    found = []
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(f for f in folders if f not in SKIP)
        for name in files:
            path = os.path.join(folder, name)
            if name not in SKIP and not os.path.islink(path):
                found.append(os.path.relpath(path, root))
    return sorted(found)


def read(root, path):
    """The file's text, or None when it is not text."""
    with open(os.path.join(root, path), 'rb') as file:
        raw = file.read()
    try:
        return None if b'\0' in raw else raw.decode('utf-8')
    except UnicodeDecodeError:
        return None


def is_test(path):
    """Whether a file is of a test: x_test.c, x_test.h, what lies in test/, x_test/ or tests/."""
    stem = os.path.splitext(path)[0]
    return bool(re.search(r'(^|/)tests?/|_test(/|$)', stem))


def _blank(text):
    return re.sub(r'[^\n]', ' ', text)


def without_comments(text):
    """C text with every comment turned into blanks; lines and columns stay where they are."""
    return _LEXEME.sub(lambda m: _blank(m[0]) if m[0][0] == '/' else m[0], text)


def code_only(text):
    """C text with comments, and what stands within strings and characters, turned into blanks."""
    def replace(match):
        lexeme = match[0]
        if lexeme[0] == '/':
            return _blank(lexeme)
        return lexeme[0] + _blank(lexeme[1:-1]) + lexeme[-1]
    return _LEXEME.sub(replace, text)


def report(name, problems, checked):
    """Prints the problems, or that there are none; returns the exit status."""
    for problem in problems:
        print(problem)
    if problems:
        print(f'{name}: {len(problems)} problem(s) in {checked} files', file=sys.stderr)
        return 1
    print(f'{name}: {checked} files, no problem', file=sys.stderr)
    return 0


def default_root():
    return os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

"""scratch.py: a small tree to try the house's tools on, and the tools as Python modules."""
import importlib.machinery
import importlib.util
import os
import sys
import tempfile

sys.dont_write_bytecode = True
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def tool(name):
    """The script tools/NAME as a module."""
    loader = importlib.machinery.SourceFileLoader(name, os.path.join(ROOT, 'tools', name))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(name, loader))
    loader.exec_module(module)
    return module


class Tree(tempfile.TemporaryDirectory):
    """A temporary folder with the files {path: text}."""

    def __init__(self, files):
        super().__init__(prefix='house-')
        for path, text in files.items():
            at = os.path.join(self.name, path)
            os.makedirs(os.path.dirname(at), exist_ok=True)
            with open(at, 'w', encoding='utf-8', newline='') as file:
                file.write(text)

"""The file that goes into each bundle, as a module."""

from functools import cache
from importlib.util import module_from_spec, spec_from_file_location
from types import ModuleType

from evdesk.settings import shipped

PATH = shipped("resources") / "evidence" / "verify.py"


@cache
def verifier() -> ModuleType:
    spec = spec_from_file_location("verify", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module

"""Import contracts that list no modules: each derives its rules from the package itself."""

import grimp
from importlinter import Contract, ContractCheck, fields, output

PACKAGE = "likewise"

TEXT = ("formats.escape", "formats.counted_nouns")
"""How text leaves the program, in a terminal or on a page."""

Import = tuple[str, str]
"""Importer and imported module."""


class _Derived(Contract):
    """A contract that is broken by every import that ``_faults`` returns."""

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:  # noqa: FBT001
        """Collect the forbidden imports."""
        faults = sorted(self._faults(graph))
        return ContractCheck(kept=not faults, metadata={"faults": faults})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print each forbidden import with the place where it stands."""
        for importer, imported in check.metadata["faults"]:
            output.print_error(f"{importer} imports {imported}")

    def _faults(self, graph: grimp.ImportGraph) -> set[Import]:
        raise NotImplementedError


class PublicApiOnly(_Derived):
    """The front ends import only the public package, its errors, ``TEXT`` and themselves."""

    type_name = "public_api_only"
    front_ends = fields.SetField(subfield=fields.StringField())

    def _faults(self, graph: grimp.ImportGraph) -> set[Import]:
        return {
            (importer, imported)
            for front_end in self.front_ends
            for importer in _package(graph, f"{PACKAGE}.{front_end}")
            for imported in graph.find_modules_directly_imported_by(importer)
            if imported.startswith(f"{PACKAGE}.")
            and imported.removeprefix(f"{PACKAGE}.") not in ("errors", *TEXT)
            and not _inside(imported, f"{PACKAGE}.{front_end}")
        }


class VerbsApart(_Derived):
    """A verb imports another verb's module, never a part of its package."""

    type_name = "verbs_apart"

    def _faults(self, graph: grimp.ImportGraph) -> set[Import]:
        return {
            (importer, part)
            for verb in graph.find_children(f"{PACKAGE}.steps")
            for part in graph.find_descendants(verb)
            for importer in graph.find_modules_that_directly_import(part)
            if not _inside(importer, verb)
        }


class OneDoor(_Derived):
    """A library is imported by some modules only, under TYPE_CHECKING too.

    A line of ``doors`` is "library: module, module"; a module stands for its package.
    """

    type_name = "one_door"
    doors = fields.ListField(subfield=fields.StringField())

    def _faults(self, graph: grimp.ImportGraph) -> set[Import]:
        faults: set[Import] = set()
        for line in self.doors:
            library, _, names = line.partition(": ")
            doors = [f"{PACKAGE}.{name}" for name in names.split(", ")]
            absent = [door for door in doors if door not in graph.modules]
            faults |= {(door, "no such module") for door in absent}
            importers = (
                graph.find_modules_that_directly_import(library)
                if (library in graph.modules)
                else set()
            )
            faults |= {
                (importer, library)
                for importer in importers
                if not any(_inside(importer, door) for door in doors)
            }
        return faults


def _package(graph: grimp.ImportGraph, module: str) -> set[str]:
    return {module, *graph.find_descendants(module)}


def _inside(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")

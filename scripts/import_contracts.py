"""Import contracts that list no modules: each derives its rules from the package itself."""

import grimp
from importlinter import Contract, ContractCheck, fields, output

PACKAGE = "likewise"


class _Derived(Contract):
    """A contract that is broken by every import that ``_faults`` returns."""

    def check(self, graph: grimp.ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002, FBT001
        """Collect the forbidden imports."""
        faults = sorted(self._faults(graph))
        return ContractCheck(kept=not faults, metadata={"faults": faults})

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Print each forbidden import with the place where it stands."""
        for importer, imported in check.metadata["faults"]:
            output.print_error(f"{importer} imports {imported}")

    def _faults(self, graph: grimp.ImportGraph) -> set[tuple[str, str]]:
        raise NotImplementedError


class PublicApiOnly(_Derived):
    """The front ends import only the public package, its errors and their own modules."""

    type_name = "public_api_only"
    front_ends = fields.SetField(subfield=fields.StringField())

    def _faults(self, graph: grimp.ImportGraph) -> set[tuple[str, str]]:
        return {
            (importer, imported)
            for front_end in self.front_ends
            for importer in _package(graph, f"{PACKAGE}.{front_end}")
            for imported in graph.find_modules_directly_imported_by(importer)
            if imported.startswith(f"{PACKAGE}.")
            and imported != f"{PACKAGE}.errors"
            and not _inside(imported, f"{PACKAGE}.{front_end}")
        }


class VerbsApart(_Derived):
    """A verb imports another verb's module, never a part of its package."""

    type_name = "verbs_apart"

    def _faults(self, graph: grimp.ImportGraph) -> set[tuple[str, str]]:
        verbs = graph.find_children(f"{PACKAGE}.steps")
        return {
            (importer, imported)
            for verb in verbs
            for part in graph.find_descendants(verb)
            for importer in graph.find_modules_that_directly_import(part)
            if not _inside(importer, verb)
            for imported in [part]
        }


class KindsApart(_Derived):
    """The kinds of a registry's family never import another kind of it."""

    type_name = "kinds_apart"
    registries = fields.SetField(subfield=fields.StringField())

    def _faults(self, graph: grimp.ImportGraph) -> set[tuple[str, str]]:
        return {
            (importer, imported)
            for registry in self.registries
            for kind in (kinds := _kinds(f"{PACKAGE}.{registry}"))
            for importer in _package(graph, kind)
            for imported in graph.find_modules_directly_imported_by(importer)
            if imported in kinds and imported != kind
        }


def _package(graph: grimp.ImportGraph, module: str) -> set[str]:
    return {module, *graph.find_descendants(module)}


def _inside(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")

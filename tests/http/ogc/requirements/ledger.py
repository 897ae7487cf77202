"""Every conformance class claimed, and the requirements that the standard lists in it.

Sources: OGC 17-069r4 (Features 1), 18-058r1 (2), 19-079r2 (3), 21-065r2 (CQL2), 20-057 (Tiles),
18-062r2 (Processes), 19-072 (Common 1), 20-024 (Common 2), and the drafts of Features 6 and 8.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_F, _S, _Q, _T = "features-1/1.0", "features-2/1.0", "features-3/1.0", "tiles-1/1.0"
_P, _C1, _C2 = "processes-1/1.0", "common-1/1.0", "common-2/1.0"
_D6, _D8, _CQL = "features-6/1.0", "features-8/1.0", "cql2/1.0"
# part and class: names of its requirements, below the class unless a slash says otherwise
_LISTED: Final = {
    (_F, "core"): """root-op root-success api-definition-op api-definition-success conformance-op
        conformance-success http query-param-unknown query-param-invalid crs84 fc-md-op
        fc-md-success fc-md-links fc-md-items fc-md-items-links fc-md-extent fc-md-extent-multi
        sfc-md-op sfc-md-success fc-op fc-limit-definition fc-limit-response-1 fc-bbox-definition
        fc-bbox-response fc-time-definition fc-time-response fc-response fc-links fc-rel-type
        fc-timeStamp fc-numberMatched fc-numberReturned f-op f-success f-links""",
    (_F, "geojson"): "definition content",
    (_F, "html"): "definition content",
    (_F, "oas30"): """oas-definition-1 oas-definition-2 oas-impl completeness exceptions-codes
        security""",
    (_S, "crs"): """crs-uri fc-md-crs-list-A fc-md-crs-list-global fc-md-storageCrs
        fc-md-storageCrs-valid-value fc-crs-definition fc-crs-valid-value fc-crs-default-value
        fc-crs-action fc-bbox-crs-definition fc-bbox-crs-valid-value fc-bbox-crs-default-value
        fc-bbox-crs-action geojson ogc-crs-header ogc-crs-header-value""",
    (_Q, "queryables"): """queryables-link get-queryables-op get-queryables-response
        expression-construction""",
    (_Q, "queryables-query-parameters"): "parameters",
    (_Q, "filter"): """filter-param filter-lang-param filter-crs-wgs84 filter-crs-param
        mixing-expressions response""",
    (_Q, "features-filter"): """queryables-link get-queryables-op filter-param filter-lang-param
        filter-crs-param response""",
    (_D6, "properties"): "parameter response",
    (_D6, "properties-features"): "request",
    (_D8, "sortables"): "sortables-link get-sortables-op get-sortables-success",
    (_D8, "sorting"): "sortby-definition /core/rc-sortby-response",
    (_D8, "features-sorting"): "request",
    (_CQL, "basic-cql2"): "cql2-filter property binary-comparison-predicate null-predicate",
    (_CQL, "advanced-comparison-operators"): "like-predicate between-predicate in-predicate",
    (_CQL, "case-insensitive-comparison"): "casei-function",
    (_CQL, "basic-spatial-functions"): "spatial-predicate spatial-functions",
    (_CQL, "basic-spatial-functions-plus"): "spatial-data-types",
    (_CQL, "spatial-functions"): "spatial-functions",
    (_CQL, "property-property"): "withdraw-permissions",
    (_CQL, "cql2-text"): """basic-cql2 escaping advanced-comparison-operators
        case-insensitive-comparison basic-spatial-functions basic-spatial-functions-plus
        spatial-functions property-property""",
    (_CQL, "cql2-json"): """basic-cql2 advanced-comparison-operators case-insensitive-comparison
        basic-spatial-functions basic-spatial-functions-plus spatial-functions
        property-property""",
    (_T, "core"): """tc-tilematrix-definition tc-tilerow-definition tc-tilecol-definition tc-op
        tc-success tc-error conformance-success""",
    (_T, "tileset"): "description",
    (_T, "tilesets-list"): "tileset-links tileset-path",
    (_T, "geodata-tilesets"): "operation desc-links",
    (_T, "mvt"): "content",
    (_T, "oas30"): "completeness operation-id",
    (_P, "core"): """landingpage-op landingpage-success api-definition-op api-definition-success
        conformance-op conformance-success http process-list process-list-success
        pl-limit-definition pl-limit-response pl-links process process-success
        process-exception/no-such-process process-execute-op process-execute-request
        process-execute-inputs process-execute-input-array process-execute-input-inline-object
        process-execute-input-mixed-type process-execute-input-validation
        process-execute-default-execution-mode process-execute-auto-execution-mode
        process-execute-default-outputs process-execute-sync-raw-value-one
        process-execute-sync-document process-execute-success-async job job-success
        job-exception-no-such-job job-results job-results-async-raw-value-one
        job-results-async-document job-results-exception/no-such-job
        job-results-exception/results-not-ready job-results-failed""",
    (_P, "json"): "definition",
    (_P, "oas30"): "completeness oas-definition-1",
    (_P, "job-list"): """job-list-op job-list-success type-definition type-response
        processID-definition processid-response status-definition status-response
        datetime-definition datetime-response duration-definition duration-response
        limit-definition limit-response links""",
    (_P, "dismiss"): "job-dismiss-op job-dismiss-success",
    (_P, "ogc-process-description"): """json-encoding inputs-def input-def input-mixed-type
        outputs-def output-def""",
    (_C1, "core"): """http query-param-name-unknown query-param-value-invalid
        query-param-capitalization query-param-list-delimiter query-param-list-empty
        query-param-list-escape query-param-value-boolean query-param-value-integer
        query-param-value-decimal query-param-value-double""",
    (_C2, "collections"): """collections-list-op collections-list-success collections-list-links
        collections-list-collections description-op description-success description-links
        description-extent description-extent-multi""",
}


def _named(part: str, group: str, name: str) -> str:
    return f"{part}/req{name}" if name.startswith("/") else f"{part}/req/{group}/{name}"


CLAIMED: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        f"{part}/conf/{group}": tuple(_named(part, group, name) for name in names.split())
        for (part, group), names in _LISTED.items()
    }
)

"""Units coloured by a share of their residents, and the legend of that colouring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from lifecircle.service.figures import percent_spans
from lifecircle.service.maps import scales
from lifecircle.service.maps.ask import Ask
from lifecircle.service.maps.folium_map import Areas
from lifecircle.service.maps.panel import Toggle, laid
from lifecircle.service.maps.scene import feature_collection


def share_areas(drawn: Any, properties: Sequence[dict[str, Any]], labels: Sequence[str]) -> Areas:
    """Units as a layer, shapes in degrees; ``c`` of their properties is the class of the share."""
    return Areas(
        {
            "name": "units",
            "features": feature_collection(drawn, properties),
            "colours": [*scales.SHARE_COLOURS, scales.UNKNOWN_COLOUR],
            "style": {
                "line": "#6a7278",
                "weight": 0.9,
                "opacity": 0.9,
                "fill": scales.SHARE_OPACITY,
                "labels": True,
            },
            "labels": list(labels),
        }
    )


def share_toggle(ask: Ask, label: str, *, some_unknown: bool) -> Toggle:
    """The layer's switch with its classes; grey stands below only where a share is unknown."""
    marks = [
        laid(colour, scales.SHARE_OPACITY, span)
        for colour, span in zip(
            scales.SHARE_COLOURS, percent_spans(scales.SHARE_EDGES), strict=True
        )
    ]
    if some_unknown:
        grey = (scales.UNKNOWN_COLOUR, scales.SHARE_OPACITY)
        marks.append(laid(*grey, ask.words.not_assessed, apart=True))
    return Toggle("units", label, tuple(marks), ramp=True)

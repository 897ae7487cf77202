"""The page on which changes are drawn: the coverage of a service as ground, and nothing told yet.

Every figure comes from the service when something is drawn (``POST /areas/{area}/scenario``).
"""

from __future__ import annotations

from lifecircle.service.maps.ask import Ask
from lifecircle.service.maps.scene import Scene
from lifecircle.service.maps.scenes.coverage import coverage_scene

_LEFT_OUT = {"tiles": (), "facts": (), "ranking": None, "not_assessed": ""}


def desk_scene(ask: Ask, service: str) -> Scene:
    """The map of a service's coverage under what is drawn.

    Raises
    ------
    UnknownNameError, ParameterError : as `coverage_scene`.
    """
    ground = coverage_scene(ask, service)
    view = ground.view | _LEFT_OUT | {"title": ask.say("desk_title"), "subtitle": ""}
    return Scene(ground.layers, view)

"""Springcity (示范市): a generated city with ordinary input files and its own truth table.

``plan`` fixes the seed, the size and what is planted; ``terrain``, ``streets``, ``rural``,
``units``, ``residents`` and ``places`` make the city; ``walking`` measures it in its own
plain way; ``truth`` says what must come out; ``write`` puts files on disk.
Everything here is synthetic: no place, name or number is real.
"""

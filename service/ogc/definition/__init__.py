"""The API definition as OpenAPI 3.0.3: true of every parameter taken and every answer given."""

from lifecircle.service.ogc.definition.openapi import api_document
from lifecircle.service.ogc.definition.plain import downgraded

__all__ = ["api_document", "downgraded"]

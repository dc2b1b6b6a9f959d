"""What drf-spectacular cannot see by itself: our authentication, the error shape, allauth's endpoints."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension

ERROR = {
    "type": "object",
    "description": "Every error of the API.",
    "required": ["code", "message", "fields"],
    "properties": {
        "code": {"type": "string", "description": "For programs.", "example": "out_of_stock"},
        "message": {"type": "string", "description": "For people."},
        "fields": {"type": "object", "additionalProperties": True, "description": "What is wrong where."},
    },
}
SIGN_UP = {
    "email": {"type": "string", "format": "email"},
    "password": {"type": "string", "format": "password"},
    "first_name": {"type": "string"},
    "last_name": {"type": "string"},
}
LOG_IN = {name: SIGN_UP[name] for name in ("email", "password")}
BODIES = {
    "signup": ("Make an account and log in.", SIGN_UP),
    "login": ("Log in.", LOG_IN),
    "password/request": ("Mail a key for a new password, if there is such an account.", {"email": LOG_IN["email"]}),
    "password/reset": (
        "Set a new password; the answer is a 401, for it logs nobody in.",
        {"key": {"type": "string", "description": "From the mail."}, "password": LOG_IN["password"]},
    ),
}
SESSION = {
    "type": "object",
    "description": "`meta.session_token` is what an app sends as X-Session-Token from then on.",
    "properties": {
        "status": {"type": "integer", "example": 200},
        "data": {"type": "object", "additionalProperties": True},
        "meta": {
            "type": "object",
            "properties": {"is_authenticated": {"type": "boolean"}, "session_token": {"type": "string"}},
        },
    },
}


class SessionTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How an app says who it is."""

    target_class = "bharatmart.api.authentication.SessionTokenAuthentication"
    name = "sessionToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        about = "From POST /api/auth/app/v1/auth/login or .../signup: meta.session_token"
        return {"type": "apiKey", "in": "header", "name": "X-Session-Token", "description": about}


def complete(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Postprocessing hook: the error answer of every operation, and sign-up and log-in."""
    components = result.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas |= {"Error": ERROR, "Session": SESSION}
    components.setdefault("responses", {})["Error"] = _answer("Error", "An error, in the one shape.")
    for path in result["paths"].values():
        for operation in path.values():
            operation["responses"].setdefault("default", {"$ref": "#/components/responses/Error"})
    result["paths"] |= {f"/api/auth/{client}/v1/auth/{name}": _auth(client, name) for client, name in _ENDPOINTS}
    return result


_ENDPOINTS = [(client, name) for client in ("app", "browser") for name in ("session", *BODIES)]
_AUTH_ERROR = (
    "The error shape beside allauth's own members (status, data.flows, errors). 401: nobody is logged in; "
    "409: somebody already is; 410: the session token is gone."
)


def _answer(schema: str, description: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{schema}"}}}
    return {"description": description, "content": content}


def _auth(client: str, name: str) -> dict[str, Any]:
    """The path item of one of allauth's endpoints."""
    if name == "session":
        return {
            "get": _operation(client, "session_get", "Who is logged in?"),
            "delete": _operation(client, "session_delete", "Log out; the answer is a 401."),
        }
    summary, fields = BODIES[name]
    required = [field for field in fields if not field.endswith("_name")]
    schema = {"type": "object", "required": required, "properties": fields}
    body = {"required": True, "content": {"application/json": {"schema": schema}}}
    return {"post": _operation(client, name, summary) | {"requestBody": body}}


def _operation(client: str, name: str, summary: str) -> dict[str, Any]:
    about = {
        "app": "For apps and programs: the session is named by the header X-Session-Token.",
        "browser": "For browsers: a session cookie; POST and DELETE need the X-CSRFToken header.",
    }
    needed = {"app": "sessionToken", "browser": "cookieAuth"}[client]
    return {
        "operationId": f"auth_{client}_{name.replace('/', '_')}",
        "tags": ["auth"],
        "summary": summary,
        "description": about[client],
        "security": [{needed: []} if "session" in name else {}],
        "responses": {"200": _answer("Session", "Logged in."), "default": _answer("Error", _AUTH_ERROR)},
    }

"""The settings that AI providers have besides a key, and the credentials among them.

Source: spec (create an integration: names); identity-and-access, Integrations (what is refused, what is masked).
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from mockserver.contract.problems import invalid
from mockserver.portkey.records import mask
from mockserver.values import JSON, Record

_AZURE = ("azure_auth_mode", "azure_entra_tenant_id", "azure_entra_client_id", "azure_entra_client_secret",
          "azure_managed_client_id")  # fmt: skip
_AWS = ("aws_auth_type", "aws_region", "aws_access_key_id", "aws_secret_access_key", "aws_role_arn", "aws_external_id")
_HOST = ("custom_host", "custom_headers")
SETTINGS: dict[str, tuple[str, ...]] = {
    "openai": ("openai_organization", "openai_project"),
    "azure-openai": (*_AZURE, "azure_resource_name", "azure_deployment_config"),
    "azure-ai": (*_AZURE, "azure_foundry_url", "azure_api_version", "azure_deployment_name"),
    "bedrock": _AWS,
    "sagemaker": (
        *_AWS, "amzn_sagemaker_custom_attributes", "amzn_sagemaker_target_model", "amzn_sagemaker_target_variant",
        "amzn_sagemaker_target_container_hostname", "amzn_sagemaker_inference_id", "amzn_sagemaker_enable_explanations",
        "amzn_sagemaker_inference_component", "amzn_sagemaker_session_id", "amzn_sagemaker_model_name",
    ),
    "vertex-ai": ("vertex_auth_type", "vertex_region", "vertex_project_id", "vertex_service_account_json"),
    "workers-ai": ("workers_ai_account_id",),
    "cortex": ("snowflake_account",),
    "huggingface": ("huggingface_base_url",),
}  # fmt: skip
"""Provider to the names of its settings; any other name is refused. Source: spec (create an integration)."""

SECRETS = frozenset(
    {
        "azure_entra_client_secret", "aws_access_key_id", "aws_secret_access_key", "aws_external_id",
        "vertex_service_account_json",
    }
)  # fmt: skip
"""Settings that come back masked, as `masked_x` (`aws_role_arn` is shown since 1.15)."""

_KEYLESS = frozenset({"bedrock", "sagemaker", "vertex-ai", "ollama", "triton"})
"""Providers whose authentication lies in their settings, or that have none."""


def checked_settings(provider: str, given: Record | None) -> Record:
    """Return the settings of a provider. Fails: `invalid-request` for a name that it has not, and for a private host."""
    settings = given or {}
    known = SETTINGS.get(provider)
    for name in settings:
        if known is not None and name not in (*known, *_HOST):
            raise invalid("body", f"/configurations/{name}", f"is no setting of {provider}")
    check_host(settings, "/configurations")
    return settings


def merged_settings(before: Record, given: Record) -> Record:
    """Return settings as they are kept and read: credentials masked and renamed, what is null taken away.

    *chosen*: the values of `custom_headers` are masked too, their names stay: such headers carry credentials.
    """
    merged = dict(before)
    for name, value in given.items():
        shown = f"masked_{name}" if name in SECRETS else name
        if value is None:
            merged.pop(shown, None)
        elif name in SECRETS:
            merged[shown] = _masked(value)
        elif name == "custom_headers":
            merged[shown] = {header: mask(text) for header, text in value.items()}
        else:
            merged[shown] = value
    return merged


def _masked(value: JSON) -> str:
    return mask(value) if isinstance(value, str) else "*****"


def check_host(settings: Record | None, pointer: str) -> None:
    """Refuse a host in a private range (as docs and the Terraform provider have it)."""
    host = (settings or {}).get("custom_host")
    if not host:
        return
    parts = _split(host)
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise invalid("body", f"{pointer}/custom_host", "is no URL of a host")
    if parts.hostname == "localhost" or _is_private(parts.hostname):
        raise invalid("body", f"{pointer}/custom_host", "lies in a private range")


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _is_private(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return False


def has_own_authentication(provider: str, settings: Record) -> bool:
    """Whether a provider with these settings needs no key."""
    if provider in _KEYLESS:
        return True
    return settings.get("azure_auth_mode", "default") != "default" or "custom_host" in settings

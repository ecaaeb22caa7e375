"""The gateway: from a call of the data plane to a provider's answer, by way of configs, guardrails, cache and retries."""

# The server as a container, not root, with a health check. MOCKSERVER_ADMIN_TOKEN must be given: it listens to all addresses.
#
#   docker build -t mockserver .
#   docker run --rm -p 8787:8787 -e MOCKSERVER_ADMIN_TOKEN=change-me mockserver
#   docker run --rm -p 8787:8787 -e MOCKSERVER_ADMIN_TOKEN=change-me -v "$PWD:/work:ro" mockserver serve other.yaml
FROM python:3.12-slim AS build
WORKDIR /source
COPY . .
RUN python -m venv /opt/mockserver \
    && /opt/mockserver/bin/pip install --no-cache-dir --disable-pip-version-check -c constraints.txt . \
    && /opt/mockserver/bin/python -m compileall -q /opt/mockserver/lib

FROM python:3.12-slim
RUN useradd --system --uid 10001 --create-home mockserver
COPY --from=build /opt/mockserver /opt/mockserver
ENV PATH="/opt/mockserver/bin:$PATH" \
    PYTHONUNBUFFERED=1 \
    MOCKSERVER_HOST=0.0.0.0 \
    MOCKSERVER_PORT=8787
# By number, so that a cluster can see that it is not root.
USER 10001
WORKDIR /work
EXPOSE 8787
HEALTHCHECK --interval=5s --timeout=2s --start-period=5s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ[\"MOCKSERVER_PORT\"]}/__admin/health', timeout=2)"]
ENTRYPOINT ["mockserver"]
CMD ["serve"]

# One image for every process of the system: the command says which.
FROM python:3.12-slim AS build
RUN pip install --no-cache-dir uv
ENV UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never
WORKDIR /src
# The libraries first: they change seldom, and this layer with them.
COPY pyproject.toml uv.lock ./
RUN uv venv /app && VIRTUAL_ENV=/app uv sync --active --locked --no-dev --no-install-project
COPY README.md LICENSE ./
COPY schemas schemas
COPY orchestrator orchestrator
COPY consumers consumers
COPY sagas sagas
RUN VIRTUAL_ENV=/app uv sync --active --locked --no-dev --no-editable

FROM python:3.12-slim
RUN useradd --system --uid 10001 --create-home --home-dir /home/saga saga \
    && mkdir /var/lib/sandbox && chown saga:saga /var/lib/sandbox
COPY --from=build /app /app
ENV PATH=/app/bin:$PATH PYTHONUNBUFFERED=1
USER saga
WORKDIR /home/saga
CMD ["saga", "--help"]

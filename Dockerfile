# A model behind HTTP, or any other command, without a compiler or CUDA: docs/install.md#containers
#
#   docker build --tag osscl --build-arg EXTRAS=cpu,serve .
ARG PYTHON=3.12

FROM python:${PYTHON}-bookworm AS wheel
WORKDIR /sources
COPY . .
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels .

FROM python:${PYTHON}-slim-bookworm
ARG EXTRAS=cpu,serve
COPY --from=wheel /wheels /wheels
# wheels alone: a package that had to be compiled would fail here, by its name
RUN pip install --no-cache-dir --only-binary :all: "$(echo /wheels/osscl-*.whl)[${EXTRAS}]" \
    && rm -r /wheels \
    && useradd --create-home --uid 1000 osscl \
    && install --directory --owner osscl /data
# a number, so that orchestrators can see that it is not root
USER 1000
WORKDIR /data
EXPOSE 8080
# for osscl serve; of another command say --no-healthcheck
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/health', timeout=4)"]
ENTRYPOINT ["osscl"]
CMD ["serve", "model.onnx", "--host", "0.0.0.0", "--token-file", "/run/secrets/osscl_token"]

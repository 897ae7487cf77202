# lifecircle: the service with its ready-made areas. Every step is in scripts/image-steps,
# which CI runs without Docker, as an unprivileged user on a read-only install.
#
#   docker build -t lifecircle .
#   docker run --rm -p 127.0.0.1:8000:8000 lifecircle

FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY scripts/image-steps scripts/image-steps
COPY lifecircle lifecircle
COPY analysis analysis
COPY service service
RUN scripts/image-steps install /opt/lifecircle

FROM python:3.11-slim-bookworm
COPY --from=build /opt/lifecircle /opt/lifecircle
COPY scripts/image-steps /opt/image-steps
RUN useradd --system --user-group --uid 10001 --no-create-home lifecircle \
    && install -d -o lifecircle -g lifecircle /workspace
USER 10001
WORKDIR /workspace
ENV PATH=/opt/lifecircle/bin:$PATH \
    HOME=/workspace \
    LIFECIRCLE_WORKSPACE=/workspace \
    LIFECIRCLE_PUBLIC_READ=1
RUN /opt/image-steps demo /opt/lifecircle /workspace
VOLUME /workspace
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=6s --start-period=60s --retries=3 \
    CMD ["/opt/image-steps", "healthy", "/opt/lifecircle", "8000"]
CMD ["/opt/image-steps", "serve", "/opt/lifecircle", "/workspace", "8000"]

# The command alone, static, as a user without rights. The embedded platform
# (dev, demo) needs the ClickHouse engine, which is not in here: give the
# commands a Kafka and a ClickHouse, as deployments/compose.yaml does.
FROM --platform=$BUILDPLATFORM golang:1.26 AS build
WORKDIR /src
ENV CGO_ENABLED=0 GOWORK=off
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG TARGETOS TARGETARCH
ARG VERSION=dev COMMIT= DATE=
RUN GOOS=$TARGETOS GOARCH=$TARGETARCH go build -tags static -trimpath \
    -ldflags "-s -w -X main.version=$VERSION -X main.commit=$COMMIT -X main.date=$DATE" \
    -o /understudy ./cmd/understudy

# CA certificates and time zones, no shell and no package manager.
FROM gcr.io/distroless/static-debian12
COPY --from=build /understudy /understudy
# By number, so that Kubernetes can see that it is not root (runAsNonRoot).
USER 65532:65532
ENTRYPOINT ["/understudy"]

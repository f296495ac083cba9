# Every dependency, and why. Debian's package of each is in scripts/setup.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)             # text formatting, exact shortest doubles
find_package(spdlog REQUIRED)          # logs on stderr, text or JSON
find_package(GTest REQUIRED)           # unit tests
find_package(Eigen3 3.4 REQUIRED)      # linear algebra of the forecast models
find_package(CURL REQUIRED)            # REST, archives and object stores: TLS, proxies, keep-alive, AWS signatures
find_package(EXPAT REQUIRED)           # the XML that object stores answer with
find_package(OpenSSL REQUIRED)         # SHA-256 of archives, TLS of the stream client
find_package(ZLIB REQUIRED)            # CSV.gz imports, HTTP compression
find_package(simdjson REQUIRED)        # the exchange's JSON payloads
find_package(CLI11 REQUIRED)           # flags
find_package(tomlplusplus REQUIRED)    # chandler.toml
find_package(nlohmann_json REQUIRED)   # JSON documents that chandler writes (simdjson only reads)
find_package(Boost 1.81 REQUIRED)      # Asio and Beast: HTTP server, WebSocket client (header only)
find_package(prometheus-cpp REQUIRED)  # metrics in Prometheus' text format
find_package(PNG REQUIRED)            # plots as PNG, faster than Cairo has it done
find_package(PkgConfig REQUIRED)
pkg_check_modules(RDKAFKA REQUIRED IMPORTED_TARGET rdkafka)  # Kafka producer and consumer
pkg_check_modules(LIBZIP REQUIRED IMPORTED_TARGET libzip)    # archives
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)  # digests of partitions
pkg_check_modules(CAIRO REQUIRED IMPORTED_TARGET cairo)      # plots: drawing, SVG
include(arrow)                         # columns, Parquet files, S3

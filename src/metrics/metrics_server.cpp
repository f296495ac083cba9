#include "metrics/metrics_server.hpp"

#include "metrics/process.hpp"

namespace chandler::metrics {

Result<std::unique_ptr<net::HttpServer>> serve(std::uint16_t port, std::string version, Collect collect) {
  net::HttpServerOptions options;
  options.port = port;
  options.threads = 1;
  options.limits.max_connections = 64;
  options.limits.max_body_bytes = 0;
  return net::HttpServer::start(options, [version = std::move(version), collect = std::move(collect)](
                                             const net::HttpRequest& request, net::Responder responder) {
    if (request.path != "/metrics") {
      responder.send(net::HttpResponse::text(404, "text/plain", "metrics are at /metrics\n"));
    } else if (request.method != "GET" && request.method != "HEAD") {
      responder.send(
          net::HttpResponse::text(405, "text/plain", "only GET\n").add_header("Allow", "GET, HEAD"));
    } else {
      Families families;
      families.begin_gauge("chandler_build_info", "The program's version");
      families.add(1, {{"version", version}});
      add_process(families);
      collect(families);
      responder.send(net::HttpResponse::text(200, kContentType, families.text()));
    }
  });
}

}  // namespace chandler::metrics

#include <fmt/format.h>

#include <cstdlib>

#include "cli/commands.hpp"
#include "web/dashboard_server.hpp"

namespace chandler::cli {
namespace {

struct Options {
  std::string listen;
  std::uint16_t port = 8080;
  std::string token;
  bool is_public = false;
  std::vector<std::string> hosts;
};

bool is_loopback(const std::string& address) {
  return address == "::1" || address == "localhost" || address.starts_with("127.");
}

// "ADDR", "ADDR:PORT", "[V6]:PORT"
Status split_listen(const std::string& listen, std::string& address, std::uint16_t& port) {
  const std::size_t colon = listen.rfind(':');
  const bool v6_without_port = listen.find(':') != colon && !listen.starts_with('[');
  if (colon == std::string::npos || v6_without_port || listen.ends_with(']')) {
    address = listen;
  } else {
    address = listen.substr(0, colon);
    unsigned number = 0;
    for (const char c : listen.substr(colon + 1)) {
      const bool digit = c >= '0' && c <= '9';
      number = digit && number < 65'536 ? number * 10 + static_cast<unsigned>(c - '0') : 65'536;
    }
    if (number > 65'535 || colon + 1 == listen.size()) {
      return fail(ErrorCode::usage, "the port of --listen is no port", listen, "--listen 0.0.0.0:8080");
    }
    port = static_cast<std::uint16_t>(number);
  }
  if (address.starts_with('[') && address.ends_with(']')) address = address.substr(1, address.size() - 2);
  if (address == "localhost") address = "127.0.0.1";
  return {};
}

Result<web::DashboardOptions> dashboard_options(const Options& options) {
  web::DashboardOptions dashboard;
  dashboard.version = CHANDLER_VERSION;
  dashboard.port = options.port;
  if (!options.listen.empty()) CHANDLER_TRY(split_listen(options.listen, dashboard.address, dashboard.port));
  const bool loopback = is_loopback(dashboard.address);
  dashboard.access.check_host = loopback;
  dashboard.access.host_names = options.hosts;
  if (options.is_public && !options.token.empty()) {
    return fail(ErrorCode::usage, "--public and --token contradict each other", {}, "give one of them");
  }
  dashboard.access.token = options.token;
  if (!loopback && !options.is_public && options.token.empty()) dashboard.access.token = web::make_token();
  return dashboard;
}

void tell(const web::DashboardServer& server, const std::string& token, bool loopback,
          const Context& context) {
  const std::string address = token.empty() ? server.url() : fmt::format("{}/?token={}", server.url(), token);
  if (context.globals.json) {
    print_json({{"url", server.url()}, {"token", token.empty() ? Json(nullptr) : Json(token)}});
    return;
  }
  print(fmt::format("Dashboard  {}\n", address));
  print(fmt::format("Binance-compatible API  {0}/api/v3/klines  ·  own API  {0}/api/v1/openapi.json\n",
                    server.url()));
  if (!loopback && token.empty()) print("Anybody who can reach this address can read the lake.\n");
  print("Ctrl-C ends it.\n");
}

Result<int> run(const Options& options, Context& context) {
  CHANDLER_ASSIGN(auto dashboard, dashboard_options(options));
  CHANDLER_ASSIGN(const auto storage, context.open_lake());
  const std::string token = dashboard.access.token;
  const bool loopback = is_loopback(dashboard.address);
  CHANDLER_ASSIGN(const auto server,
                  web::DashboardServer::start(storage, context.clock, std::move(dashboard)));
  tell(*server, token, loopback, context);
  std::fflush(stdout);
  while (context.clock.sleep(std::chrono::hours(1), context.stop)) {
  }
  return kDone;
}

}  // namespace

void add_serve_command(Registry& registry) {
  auto options = std::make_shared<Options>();
  Flags& flags = registry.add("serve", "Dashboard and APIs over the lake",
                              [options](Context& context) { return run(*options, context); });
  flags.option("--port", &options->port, "Port; 0 takes any free one").show_default();
  flags
      .option("--listen", &options->listen,
              "Address other than 127.0.0.1; a bearer token is needed then, unless --public")
      .type("ADDR[:PORT]");
  flags
      .option("--token", &options->token,
              "The bearer token; where one is needed and none is given, one is made and printed")
      .type("TOKEN");
  flags.toggle("--public", &options->is_public,
               "No token: anybody who can reach the address can read the lake");
  flags
      .option("--host", &options->hosts,
              "A host name, besides addresses and localhost, that requests may be for")
      .type("NAME");
}

}  // namespace chandler::cli

// The transport of the program itself.
#pragma once

#include <memory>

#include "http/transport.hpp"

namespace chandler::http {

struct CurlOptions {
  std::chrono::milliseconds connect_timeout{5000};
  std::string ca_file;  // PEM bundle; empty: CURL_CA_BUNDLE, SSL_CERT_FILE, or the system's
};

// libcurl: keep-alive (a pool of connections, as many as there are callers at once), TLS verification,
// signing, proxies from the environment (http_proxy, https_proxy, no_proxy), HTTP and HTTPS only. A stop
// request ends a transfer at once.
std::unique_ptr<Transport> make_curl_transport(const CurlOptions& options = {});

}  // namespace chandler::http

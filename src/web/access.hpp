// Who may ask: methods, Host names, the bearer token; and the headers that protect the reader's browser.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "net/http_message.hpp"

namespace chandler::web {

struct AccessRules {
  std::string token;  // empty: none is needed
  // While we listen on loopback only, a page of another site could reach us through a DNS name of its own
  // that points here ("DNS rebinding"); so a Host header has to be an address, localhost, or one of these
  // names.
  bool check_host = true;
  std::vector<std::string> host_names;
};

// Nothing if the request may be answered; else the answer that refuses it, or, for a browser that brings the
// token in the address (`/?token=…`), sets its cookie and sends it on to the address without the token.
std::optional<net::HttpResponse> refusal(const AccessRules& rules, const net::HttpRequest& request);

// Rendered header lines for every answer: no sniffing, no framing, no referrer.
std::string_view common_headers();
// Content-Security-Policy of the dashboard's page: own scripts and styles only, nothing inline, nothing from
// elsewhere.
std::string_view page_headers();

// 256 random bits from the system as 43 URL-safe characters.
std::string make_token();
// In time that does not depend on where they differ.
bool same_secret(std::string_view a, std::string_view b);

}  // namespace chandler::web

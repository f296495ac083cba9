// Whether the exchange knows the symbols: its streams accept any name and stay silent about those that are
// none.
#pragma once

#include <span>
#include <stop_token>
#include <string>

#include "exchange/rest_client.hpp"
#include "lake/storage.hpp"

namespace chandler::speed {

// not_found: some are neither listed nor in the lake; the error names them and what may have been meant. One
// that the lake has may have been delisted since. Asks the exchange only if there is one that it has not.
Status check_listed(const lake::Storage& storage, exchange::RestClient& rest,
                    std::span<const std::string> symbols, std::stop_token stop);

}  // namespace chandler::speed

// gzip (RFC 1952) for answers and for the embedded assets.
#pragma once

#include <string>
#include <string_view>

namespace chandler::web {

// level: 1 (fast) … 9. The header holds no time, so equal input gives equal bytes.
std::string gzip(std::string_view bytes, int level);
// Of what gzip() or the build made; empty if it is damaged.
std::string gunzip(std::string_view bytes);

// Whether an Accept-Encoding header allows gzip (RFC 9110 §12.5.3: "gzip;q=0" does not).
bool accepts_gzip(std::string_view accept_encoding);

}  // namespace chandler::web

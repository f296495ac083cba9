// SHA-256 (FIPS 180-4) in the two forms that are exchanged.
#pragma once

#include <string>
#include <string_view>

namespace chandler {

std::string sha256_hex(std::string_view bytes);  // lower case, as in checksum files
std::string sha256_base64(std::string_view bytes);

}  // namespace chandler

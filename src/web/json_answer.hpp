// A small JSON document as an answer; large ones are written with json_text.hpp.
#pragma once

#include <nlohmann/json.hpp>

#include "web/answer.hpp"

namespace chandler::web {

// Texts that are no UTF-8 (names of files may be anything) are mended, never thrown at.
inline Answer json_answer(const nlohmann::ordered_json& json, Freshness freshness) {
  Answer answer;
  answer.body = json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  answer.freshness = std::move(freshness);
  return answer;
}

}  // namespace chandler::web

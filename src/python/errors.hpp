// Errors on their way to Python: the classes of chandler/errors.py. All of this with the GIL held.
#pragma once

#include <nanobind/nanobind.h>

#include "base/error.hpp"

namespace arrow {
class Status;
}

namespace chandler::python {

// Raises the exception class of the error's code.
[[noreturn]] void raise(const Error& error);

template <class T>
T value_or_raise(Result<T>&& result) {
  if (!result) raise(result.error());
  return std::move(*result);
}
inline void raise_if_failed(const Status& status) {
  if (!status) raise(status.error());
}

// Runs work() without the GIL and returns its value, or raises its error.
template <class Work>
auto without_gil(Work&& work) {
  auto result = [&] {
    const nanobind::gil_scoped_release released;
    return work();
  }();
  if (!result) raise(result.error());
  if constexpr (!std::is_void_v<typename decltype(result)::value_type>) return std::move(*result);
}

// What Arrow says about foreign data. `doing` begins the sentence: "cannot read the table".
Error from_arrow(const arrow::Status& status, std::string doing);

}  // namespace chandler::python

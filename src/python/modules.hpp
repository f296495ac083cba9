// What module.cpp puts together; each function adds its part to the module.
#pragma once

#include <nanobind/nanobind.h>

namespace chandler::python {

void bind_kernels(nanobind::module_& module);
void bind_prophet(nanobind::module_& module);
void bind_lake(nanobind::module_& module);
void bind_demo(nanobind::module_& module);
void bind_chart(nanobind::module_& module);
void bind_cluster(nanobind::module_& module);

}  // namespace chandler::python

#include <nanobind/nanobind.h>

#include "python/modules.hpp"
#include "python/table.hpp"

namespace nb = nanobind;

NB_MODULE(_core, module) {
  module.doc() =
      "The compiled half of the package; its functions are documented where `chandler` shows them.";
  chandler::python::bind_tables(module);
  chandler::python::bind_kernels(module);
  chandler::python::bind_prophet(module);
  chandler::python::bind_lake(module);
  chandler::python::bind_demo(module);
  chandler::python::bind_chart(module);
  chandler::python::bind_cluster(module);
}

# Every part that openbook's libraries are built from. Read by the build and, installed, by find_package(openbook).
find_package(Threads REQUIRED)
find_package(OpenMP REQUIRED)   # before faiss, whose package names its target
find_package(OpenSSL REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(faiss REQUIRED)
find_package(RocksDB REQUIRED)
find_package(Libtorch REQUIRED)
find_package(ICU 70 REQUIRED COMPONENTS uc data)
pkg_check_modules(pcre2 REQUIRED IMPORTED_TARGET GLOBAL libpcre2-8)
pkg_check_modules(utf8proc REQUIRED IMPORTED_TARGET GLOBAL libutf8proc)
pkg_check_modules(sentencepiece REQUIRED IMPORTED_TARGET GLOBAL sentencepiece)
find_package(CUDAToolkit 12.0 QUIET)   # for kernels of our own, where it stands

# Every way to build, try and check tcpstack; `make` alone lists them.
# What is needed is built or installed into target/, nothing outside the checkout.

PREFIX ?= /usr/local
DESTDIR ?=
SEEDS ?= 10000
LESSON ?= 1
SHELL := /bin/bash

.DEFAULT_GOAL := help
.PHONY: help build demo lab test soak scripts-on-linux bench install fmt clean

help: ## this list · 列出所有命令
	@echo 'make TARGET, where TARGET is one of:'
	@sed -nE 's/^([a-z-]+):.*## (.*)/  \1\t\2/p' Makefile | expand -t 20

build: ## libtcpstack, the tcpstack command and the C examples, release · 编译
	@scripts/need cargo cc
	@scripts/build

demo: ## C server, C client and Python client, and the diagram of what happened · 演示
	@scripts/need cargo cc python3 venv
	@scripts/demo

lab: ## watch a connection in the browser: make lab LESSON=9 · 在浏览器中观察 TCP
	@scripts/need cargo cc
	@scripts/lab $(LESSON)

test: ## everything: format, lints, Rust, C, Python, the page, kernel peers · 全部测试
	@scripts/need cargo rustfmt clippy cc python3 venv openssl valgrind node npm chromium
	@scripts/test

soak: ## random programs on random networks, many seeds: make soak SEEDS=10000 · 长时间随机测试
	@scripts/need cargo cc
	@TCPSTACK_SOAK_SEEDS=$(SEEDS) cargo test -p tcpstack --test soak

scripts-on-linux: ## the conformance scripts on the kernel's own TCP (root) · 用内核的 TCP 跑同样的脚本
	@scripts/need cargo ip chrt
	@tests/netns/scripts-on-linux

bench: ## measure beside smoltcp and the kernel (root for TUN), and write docs/PERFORMANCE.md · 性能
	@scripts/need cargo cc python3 venv valgrind strace
	@scripts/bench

install: ## the C library, header and tcpstack.pc: make install PREFIX=/usr/local DESTDIR= · 安装
	@scripts/need cargo cc
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/install-c

fmt: ## format the Rust sources · 格式化
	@scripts/need cargo rustfmt
	@cargo fmt --all

clean: ## remove everything that was built · 清除
	@rm -rf target

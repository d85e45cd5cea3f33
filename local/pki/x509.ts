// @peculiar/x509 asks for decorators' metadata before it is loaded; every use of it comes through here
import 'reflect-metadata';

export * from '@peculiar/x509';

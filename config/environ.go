package config

import (
	"fmt"
	"reflect"
	"strings"
)

// Environ returns settings as variables of the environment, NAME=value.
func Environ(settings any) (variables []string) {
	v := reflect.ValueOf(settings)
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("envconfig")
		value := fmt.Sprint(v.Field(i))
		if several, is := v.Field(i).Interface().([]string); is {
			value = strings.Join(several, ",")
		}
		variables = append(variables, name+"="+value)
	}
	return variables
}
